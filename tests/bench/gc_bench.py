#!/usr/bin/env python3
"""Measures the collector: pauses with a large live heap, throughput against the best setting, growth over a long run.

gc_bench.py pauses [--seconds 30] [--megabytes 280] [--runs 3]   worst and 99.9 % pause of gc_pause.luapp, of all and of those that no other process interrupted
gc_bench.py throughput [--runs 5]                    binary_trees of depth 18, the default against other settings
gc_bench.py soak [--seconds 600]                     resident size over a run of gc_pause.luapp
Without a word: pauses and throughput. Bars: worst pause below 1 ms and 99.9 % below 0.5 ms in each run; default at most 1.3 times the best
setting; the soak ends no larger than it was after a quarter of its time (10 % spread). The exit status is 1 if a bar is missed.
Wall time counts what other processes take: on a busy machine look at the pauses that were not interrupted. What a hypervisor takes for
other guests counts as well, and no process sees it: `pauses` prints how often the machine stood still by itself (a loop that does nothing
but look at the clock) before the runs, and the time that Linux knows to be stolen during each.
"""

import argparse
import gc
import os
import re
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE = re.compile(r"gc: \w+ \d+ \w+ ([\d.]+) ms \(cpu ([\d.]+), (\d+) switches\)")
WORST_MS, MOST_MS, RATIO, GROWTH = 1.0, 0.5, 1.3, 1.1


def pauses_of(text):
    """The pauses between the program's two own lines: all, those not interrupted; and how much was live."""
    wall, own, live, measured = [], [], 0.0, False
    for line in text.splitlines():
        if line.startswith("live "):
            live, measured = float(line.split()[1]), True
        elif line.startswith("rounds "):
            return wall, own, live
        elif measured and (m := PAUSE.match(line)):
            wall.append(float(m[1]))
            if m[3] == "0":
                own.append(float(m[1]))
    sys.exit("gc_bench.py: the program did not end as it should:\n" + text[-500:])


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def stolen_ms():
    """What the hypervisor took from this machine since it started, as far as Linux knows; in steps of 10 ms."""
    with open("/proc/stat", encoding="ascii") as f:
        return int(f.readline().split()[8]) * 1000 // os.sysconf("SC_CLK_TCK")


def standstills(seconds):
    """The gaps, in ms, between looks at the clock by a loop that does nothing else."""
    gaps = []
    gc.disable()
    last = start = time.perf_counter_ns()
    while last - start < seconds * 1e9:
        now = time.perf_counter_ns()
        if now - last > 100_000:
            gaps.append((now - last) / 1e6)
        last = now
    gc.enable()
    return gaps


def measure_pauses(args):
    ok = True
    gaps = standstills(args.seconds / 3)
    print(f"this machine by itself, {args.seconds / 3:.0f} s: {sum(g > MOST_MS for g in gaps)} standstills over {MOST_MS} ms, "
          f"{sum(g > WORST_MS for g in gaps)} over {WORST_MS} ms, worst {max(gaps, default=0):.3f} ms", flush=True)
    program = os.path.join(HERE, "gc_pause.luapp")
    for run in range(1, args.runs + 1):
        stolen = stolen_ms()
        done = subprocess.run([args.luapp, "run", "--gc-log", program, str(args.seconds), str(args.megabytes)], stderr=subprocess.PIPE, text=True)
        wall, own, live = pauses_of(done.stderr)
        stolen = stolen_ms() - stolen
        good = max(wall) < WORST_MS and quantile(wall, 0.999) < MOST_MS
        ok = ok and good
        print(f"run {run}: {live:.0f} MB live, {len(wall)} pauses, "
              f"worst {max(wall):.3f} ms, 99.9 % {quantile(wall, 0.999):.3f} ms, median {statistics.median(wall):.3f} ms; "
              f"{len(own)} not interrupted: worst {max(own):.3f} ms, 99.9 % {quantile(own, 0.999):.3f} ms; {stolen} ms stolen: {'good' if good else 'MISSED'}", flush=True)
    return ok


def user_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def measure_throughput(args):
    settings = ["", 'collectgarbage("setpause", 150)', 'collectgarbage("setpause", 400)', 'collectgarbage("setpause", 1000)',
                'collectgarbage("setstepmul", 100)', 'collectgarbage("setstepmul", 1000)']
    times = {setting: [] for setting in settings}
    for _ in range(args.runs):
        for setting in settings:
            first = ["-e", setting] if setting else []
            times[setting].append(user_seconds([args.luapp, "run", *first, os.path.join(HERE, "binary_trees.luapp"), "18"]))
    for setting in settings:
        print(f"binary_trees 18, {setting or 'default'}: {statistics.median(times[setting]):.2f} s")
    ratio = statistics.median(times[""]) / min(statistics.median(t) for t in times.values())
    print(f"default against the best: {ratio:.2f}: {'good' if ratio <= RATIO else 'MISSED'}")
    return ratio <= RATIO


def resident_mb(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * resource.getpagesize() / 2**20


def soak(args):
    process = subprocess.Popen([args.luapp, "run", os.path.join(HERE, "gc_pause.luapp"), str(args.seconds), str(args.megabytes)], stderr=subprocess.DEVNULL)
    sizes = []
    while process.poll() is None:
        time.sleep(1)
        try:
            size = resident_mb(process.pid)
        except (OSError, IndexError):
            break
        if size == 0:  # it has ended
            break
        sizes.append(size)
        if len(sizes) % 60 == 0:
            print(f"after {len(sizes)} s: {sizes[-1]:.0f} MB", flush=True)
    process.wait()
    early, late = sizes[len(sizes) // 4:len(sizes) // 2], sizes[-len(sizes) // 4:]
    good = process.returncode == 0 and max(late) <= max(early) * GROWTH
    print(f"at most {max(early):.0f} MB in the second quarter, {max(late):.0f} MB in the last: {'good' if good else 'MISSED'}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["pauses", "throughput", "soak"])
    parser.add_argument("--luapp", default="build/luapp", help="the executable (default: build/luapp)")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--megabytes", type=int, default=280, help="size of the live structure; 280 is a bit more than 200 MB as the heap counts")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    if args.seconds is None:
        args.seconds = 600 if args.what == "soak" else 30
    if args.what == "soak":
        return soak(args)
    ok = True
    if args.what != "throughput":
        ok = measure_pauses(args)
    if args.what != "pauses":
        ok = measure_throughput(args) and ok
    return ok


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
