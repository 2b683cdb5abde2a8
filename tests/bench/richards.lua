-- Martin Richards' benchmark: the kernel of a small operating system runs six tasks of four kinds, which send packets to
-- each other. A class for each kind of task with a virtual method `run`, linked lists, states of booleans. What has to
-- come of a run is known: 23246 packets queued, 9297 holds. Argument: how many runs.
local dataSize = 4
local idleCount = 10000

local idleId = 1
local workerId = 2
local handlerA = 3
local handlerB = 4
local deviceA = 5
local deviceB = 6

-- A class whose objects find what they do not have themselves in it, and what it does not have in `base`.
local function class(base)
    local new = {}
    new.__index = new
    return setmetatable(new, base)
end

local Packet = class()

function Packet.new(link, ident, isWork)
    local data = {}
    for i = 1, dataSize do
        data[i] = 0
    end
    return setmetatable({ link = link, ident = ident, isWork = isWork, datum = 1, data = data }, Packet)
end

-- Puts this packet at the end of `queue` and returns the queue's start.
function Packet:appendTo(queue)
    self.link = nil
    if queue == nil then
        return self
    end
    local last = queue
    while true do
        local next = last.link
        if next == nil then
            break
        end
        last = next
    end
    last.link = self
    return queue
end

-- Whether a task can run: it must not be held, and when it waits there must be a packet for it.
local TaskState = class()

function TaskState:isHeldOrWaiting()
    return self.taskHolding or not self.packetPending and self.taskWaiting
end

function TaskState:isWaitingWithPacket()
    return self.packetPending and self.taskWaiting and not self.taskHolding
end

function TaskState:setRunning()
    self.packetPending = false
    self.taskWaiting = false
    self.taskHolding = false
end

function TaskState:setWaiting()
    self.packetPending = false
    self.taskWaiting = true
    self.taskHolding = false
end

function TaskState:setWaitingWithPacket()
    self.packetPending = true
    self.taskWaiting = true
    self.taskHolding = false
end

function TaskState:setHolding(isHolding)
    self.taskHolding = isHolding
end

-- Waits for a packet.
function TaskState:wait()
    self.taskWaiting = true
end

local Task = class(TaskState)

function Task.construct(self, scheduler, ident, priority, queue)
    self.scheduler = scheduler
    self.next = scheduler.tasks
    self.ident = ident
    self.priority = priority
    self.queue = queue
    if queue == nil then
        self:setWaiting()
    else
        self:setWaitingWithPacket()
    end
    scheduler:add(self)
    return self
end

-- Takes a packet off the queue if the task has waited for it, and runs.
function Task:resume()
    local packet = nil
    if self:isWaitingWithPacket() then
        packet = self.queue
        self.queue = packet.link
        self:setRunning()
        self.packetPending = self.queue ~= nil
    end
    return self:run(packet)
end

-- Puts a packet into the queue. Returns the task to go on with: this one if it is more urgent than `sender`.
function Task:receive(packet, sender)
    local queue = self.queue
    self.queue = packet:appendTo(queue)
    if queue == nil then
        self.packetPending = true
        if self.priority > sender.priority then
            return self
        end
    end
    return sender
end

-- `x` with one bit of it turned over; plain Lua 5.1 has no operators for it.
local function flip(x, bit)
    if x % (2 * bit) >= bit then
        return x - bit
    end
    return x + bit
end

-- Lets time pass, and releases now one device and now the other as a shift register says.
local IdleTask = class(Task)

function IdleTask.new(scheduler)
    local self = Task.construct(setmetatable({}, IdleTask), scheduler, idleId, 0, nil)
    self.control = 1
    self.left = idleCount
    self:setRunning()
    return self
end

function IdleTask:run()
    self.left = self.left - 1
    if self.left == 0 then
        return self.scheduler:holdCurrent()
    end
    local half = math.floor(self.control / 2)
    if self.control % 2 == 0 then
        self.control = half
        return self.scheduler:release(deviceA)
    end
    self.control = flip(flip(flip(flip(half, 0x8000), 0x4000), 0x1000), 8)
    return self.scheduler:release(deviceB)
end

-- Fills packets with letters and sends them to the handlers by turns.
local WorkerTask = class(Task)

function WorkerTask.new(scheduler, queue)
    local self = Task.construct(setmetatable({}, WorkerTask), scheduler, workerId, 1000, queue)
    self.destination = handlerA
    self.letter = 0
    return self
end

function WorkerTask:run(packet)
    if packet == nil then
        return self.scheduler:waitCurrent()
    end
    self.destination = self.destination == handlerA and handlerB or handlerA
    packet.ident = self.destination
    packet.datum = 1
    for i = 1, dataSize do
        self.letter = self.letter + 1
        if self.letter > 26 then
            self.letter = 1
        end
        packet.data[i] = 64 + self.letter
    end
    return self.scheduler:send(packet)
end

-- Hands the letters of work packets to a device, one by one, in packets that come back from it.
local HandlerTask = class(Task)

function HandlerTask.new(scheduler, ident, priority, queue)
    return Task.construct(setmetatable({}, HandlerTask), scheduler, ident, priority, queue)
end

function HandlerTask:run(packet)
    if packet ~= nil then
        if packet.isWork then
            self.work = packet:appendTo(self.work)
        else
            self.free = packet:appendTo(self.free)
        end
    end
    local work = self.work
    if work ~= nil then
        if work.datum > dataSize then
            self.work = work.link
            return self.scheduler:send(work)
        end
        local carrier = self.free
        if carrier ~= nil then
            self.free = carrier.link
            carrier.datum = work.data[work.datum]
            work.datum = work.datum + 1
            return self.scheduler:send(carrier)
        end
    end
    return self.scheduler:waitCurrent()
end

-- Keeps a packet until it is released, then returns it.
local DeviceTask = class(Task)

function DeviceTask.new(scheduler, ident, priority)
    return Task.construct(setmetatable({}, DeviceTask), scheduler, ident, priority, nil)
end

function DeviceTask:run(packet)
    if packet ~= nil then
        self.pending = packet
        return self.scheduler:holdCurrent()
    end
    local done = self.pending
    if done == nil then
        return self.scheduler:waitCurrent()
    end
    self.pending = nil
    return self.scheduler:send(done)
end

local Scheduler = class()

function Scheduler.new()
    return setmetatable({ queued = 0, holds = 0, byIdent = {} }, Scheduler)
end

function Scheduler:add(task)
    self.tasks = task
    self.byIdent[#self.byIdent + 1] = task
end

-- Runs tasks until none can run.
function Scheduler:schedule()
    local task = self.tasks
    while task ~= nil do
        if task:isHeldOrWaiting() then
            task = task.next
        else
            self.current = task
            task = task:resume()
        end
    end
end

function Scheduler:holdCurrent()
    local task = self.current
    self.holds = self.holds + 1
    task:setHolding(true)
    return task.next
end

function Scheduler:waitCurrent()
    local task = self.current
    task:wait()
    return task
end

function Scheduler:release(ident)
    local task = self.byIdent[ident]
    local current = self.current
    task:setHolding(false)
    if task.priority > current.priority then
        return task
    end
    return current
end

function Scheduler:send(packet)
    local task = self.byIdent[packet.ident]
    local current = self.current
    self.queued = self.queued + 1
    packet.ident = current.ident
    return task:receive(packet, current)
end

local function packets(count, ident, isWork)
    local queue = nil
    for _ = 1, count do
        queue = Packet.new(queue, ident, isWork)
    end
    return queue
end

local function run()
    local scheduler = Scheduler.new()
    IdleTask.new(scheduler)
    WorkerTask.new(scheduler, packets(2, workerId, true))
    HandlerTask.new(scheduler, handlerA, 2000, packets(3, deviceA, false))
    HandlerTask.new(scheduler, handlerB, 3000, packets(3, deviceB, false))
    DeviceTask.new(scheduler, deviceA, 4000)
    DeviceTask.new(scheduler, deviceB, 5000)
    scheduler:schedule()
    return scheduler.queued, scheduler.holds
end

local runs = math.floor(tonumber((...)) or 40)
local queued, holds = 0, 0
for _ = 1, runs do
    local q, h = run()
    queued = queued + q
    holds = holds + h
    if q ~= 23246 or h ~= 9297 then
        error(q .. " packets queued and " .. h .. " holds: wrong")
    end
end
print("queued " .. queued .. ", holds " .. holds)
