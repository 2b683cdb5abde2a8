-- A simulated operating system: six tasks send packets to each other, and a scheduler always runs the most urgent task
-- that can run. Tables as records, linked lists and closures. Argument: how often the idle task runs.

-- The number of a task is also its urgency: the highest runs first.
local worker = 2 -- the idle task is number 1
local handlerA = 3
local handlerB = 4
local deviceA = 5
local deviceB = 6
local dataSize = 4

local tasks = {}
local current = 0
local sent = 0
local holds = 0
local turns = 0

-- Appends `packet` to the queue that starts with `head`, and returns the start of the queue.
local function append(head, packet)
    packet.next = nil
    if head == nil then
        return packet
    end
    local last = head
    while true do
        local next = last.next
        if next == nil then
            break
        end
        last = next
    end
    last.next = packet
    return head
end

local function send(packet)
    sent = sent + 1
    local task = tasks[packet.owner]
    packet.owner = current
    task.inbox = append(task.inbox, packet)
end

local function wait()
    tasks[current].waiting = true
end

local function hold()
    holds = holds + 1
    tasks[current].held = true
end

local function release(id)
    tasks[id].held = false
end

-- Lets time pass, and tells now one device and now the other that its packet is through.
local function makeIdle(count)
    local left = count
    local control = 1
    return function(packet)
        left = left - 1
        if left == 0 then
            hold()
            return
        end
        control = (control * 25173 + 13849) % 65536
        release(control < 32768 and deviceA or deviceB)
    end
end

-- Fills packets with letters and sends them to the handlers by turns.
local function makeWorker()
    local destination = handlerA
    local letter = 0
    return function(packet)
        if packet == nil then
            wait()
            return
        end
        destination = destination == handlerA and handlerB or handlerA
        packet.owner = destination
        packet.at = 0
        for i = 0, dataSize - 1 do
            letter = letter % 26 + 1
            packet.data[i + 1] = 64 + letter
        end
        send(packet)
    end
end

-- Hands the letters of work packets to a device, one by one, and returns packets that are done.
local function makeHandler(device)
    local work = nil
    local free = nil
    return function(packet)
        if packet ~= nil then
            if packet.isWork then
                work = append(work, packet)
            else
                free = append(free, packet)
            end
        end
        local first = work
        if first == nil then
            wait()
            return
        end
        if first.at >= dataSize then
            work = first.next
            send(first)
            return
        end
        local carrier = free
        if carrier == nil then
            wait()
            return
        end
        free = carrier.next
        carrier.owner = device
        carrier.data[1] = first.data[first.at + 1]
        first.at = first.at + 1
        send(carrier)
    end
end

-- Keeps a packet until the idle task releases the device, then returns it.
local function makeDevice()
    local pending = nil
    return function(packet)
        if packet ~= nil then
            pending = packet
            hold()
            return
        end
        local done = pending
        if done == nil then
            wait()
        else
            pending = nil
            send(done)
        end
    end
end

local function addTask(queue, waiting, run)
    tasks[#tasks + 1] = { inbox = queue, waiting = waiting, held = false, run = run }
end

local function queueOf(count, owner, isWork)
    local queue = nil
    for _ = 1, count do
        queue = append(queue, { owner = owner, isWork = isWork, at = 0, data = { 0, 0, 0, 0 } })
    end
    return queue
end

-- Runs the most urgent task until none can run.
local function schedule()
    local id = #tasks
    while id >= 1 do
        local task = tasks[id]
        local packet = nil
        if task.waiting then
            packet = task.inbox
        end
        if task.held or task.waiting and packet == nil then
            id = id - 1
        else
            if packet ~= nil then
                task.inbox = packet.next
                task.waiting = false
            end
            current = id
            turns = turns + 1
            task.run(packet)
            -- A task that still has packets waits for nothing.
            id = #tasks
        end
    end
end

local count = math.floor(tonumber((...)) or 500000)
addTask(nil, false, makeIdle(count))
addTask(queueOf(2, worker, true), true, makeWorker())
addTask(queueOf(3, deviceA, false), true, makeHandler(deviceA))
addTask(queueOf(3, deviceB, false), true, makeHandler(deviceB))
addTask(nil, true, makeDevice())
addTask(nil, true, makeDevice())
schedule()
print("turns " .. turns .. ", sent " .. sent .. ", holds " .. holds)
