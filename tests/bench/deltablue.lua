-- DeltaBlue, an incremental solver of one-way constraints with strengths (Sannella, Maloney, Freeman-Benson and Borning,
-- "Multi-way versus One-way Constraints in User Interfaces", 1993), as the classic benchmark uses it: a long chain of
-- equalities, and many scalings that share two variables. A hierarchy of constraints with virtual methods, and lists of
-- objects. Argument: the size of both problems.

-- Strengths: a smaller number is a stronger wish.
local required = 0
local preferred = 2
local strongDefault = 3
local normal = 4
local weakest = 6

-- A class whose objects find what they do not have themselves in it, and what it does not have in `base`.
local function class(base)
    local new = {}
    new.__index = new
    return setmetatable(new, base)
end

local Variable = class()

-- Its fields:
--   constraints   all that have to do with it
--   determinedBy  the one whose output it is
--   mark          of the last pass over the graph that came here
--   walkStrength  of the weakest wish that its value rests on
--   stay          whether the value is the same whenever the plan runs
function Variable.new(value)
    return setmetatable({ value = value, constraints = {}, determinedBy = nil, mark = 0, walkStrength = weakest,
        stay = true }, Variable)
end

function Variable:detach(constraint)
    local constraints = self.constraints
    for i = 1, #constraints do
        if constraints[i] == constraint then
            table.remove(constraints, i)
            break
        end
    end
    if self.determinedBy == constraint then
        self.determinedBy = nil
    end
end

-- A relation between variables that can be satisfied by computing one of them, its output, from the others.
local Constraint = class()

function Constraint:isInput()
    return false
end

function Constraint:post(planner)
    self:attach()
    planner:incrementalAdd(self)
end

function Constraint:destroy(planner)
    if self:isSatisfied() then
        planner:incrementalRemove(self)
    else
        self:detach()
    end
end

-- Tries to satisfy this constraint. Returns the one that had to give way, if any.
function Constraint:satisfy(mark, planner)
    self:chooseMethod(mark)
    if not self:isSatisfied() then
        if self.strength == required then
            error("a required constraint cannot be satisfied")
        end
        return nil
    end
    self:markInputs(mark)
    local out = self:output()
    local overridden = out.determinedBy
    if overridden ~= nil then
        overridden:markUnsatisfied()
    end
    out.determinedBy = self
    if not planner:addPropagate(self, mark) then
        error("constraints in a circle")
    end
    out.mark = mark
    return overridden
end

local UnaryConstraint = class(Constraint)

function UnaryConstraint:isSatisfied()
    return self.satisfied
end

function UnaryConstraint:output()
    return self.out
end

function UnaryConstraint:attach()
    local constraints = self.out.constraints
    constraints[#constraints + 1] = self
end

function UnaryConstraint:detach()
    self.out:detach(self)
    self.satisfied = false
end

-- Decides which variable to compute, if the constraint is strong enough for any.
function UnaryConstraint:chooseMethod(mark)
    self.satisfied = self.out.mark ~= mark and self.strength < self.out.walkStrength
end

function UnaryConstraint:markInputs(mark)
end

function UnaryConstraint:inputsKnown(mark)
    return true
end

function UnaryConstraint:markUnsatisfied()
    self.satisfied = false
end

-- Computes the output's walk strength and, if that never changes, its value.
function UnaryConstraint:recalculate()
    local out = self.out
    out.walkStrength = self.strength
    out.stay = not self:isInput()
    if out.stay then
        self:execute()
    end
end

function UnaryConstraint:execute()
end

-- A variable should stay as it is.
local StayConstraint = class(UnaryConstraint)

function StayConstraint.new(out, strength)
    return setmetatable({ out = out, strength = strength, satisfied = false }, StayConstraint)
end

-- A variable is set from outside.
local EditConstraint = class(UnaryConstraint)

function EditConstraint.new(out, strength)
    return setmetatable({ out = out, strength = strength, satisfied = false }, EditConstraint)
end

function EditConstraint:isInput()
    return true
end

-- Directions
local none, forward, backward = 0, 1, 2

local BinaryConstraint = class(Constraint)

function BinaryConstraint:isSatisfied()
    return self.direction ~= none
end

function BinaryConstraint:input()
    return self.direction == forward and self.first or self.second
end

function BinaryConstraint:output()
    return self.direction == forward and self.second or self.first
end

function BinaryConstraint:attach()
    local constraints = self.first.constraints
    constraints[#constraints + 1] = self
    constraints = self.second.constraints
    constraints[#constraints + 1] = self
end

function BinaryConstraint:detach()
    self.first:detach(self)
    self.second:detach(self)
    self.direction = none
end

function BinaryConstraint:chooseMethod(mark)
    local first = self.first
    local second = self.second
    local goes = none
    if first.mark == mark then
        if second.mark ~= mark and self.strength < second.walkStrength then
            goes = forward
        end
    elseif second.mark == mark then
        if self.strength < first.walkStrength then
            goes = backward
        end
    elseif first.walkStrength > second.walkStrength then
        if self.strength < first.walkStrength then
            goes = backward
        end
    elseif self.strength < second.walkStrength then
        goes = forward
    end
    self.direction = goes
end

function BinaryConstraint:markInputs(mark)
    self:input().mark = mark
end

function BinaryConstraint:inputsKnown(mark)
    local input = self:input()
    return input.mark == mark or input.stay or input.determinedBy == nil
end

function BinaryConstraint:markUnsatisfied()
    self.direction = none
end

function BinaryConstraint:recalculate()
    local input = self:input()
    local out = self:output()
    out.walkStrength = math.max(self.strength, input.walkStrength)
    out.stay = input.stay
    if out.stay then
        self:execute()
    end
end

local EqualityConstraint = class(BinaryConstraint)

function EqualityConstraint.new(first, second, strength)
    return setmetatable({ first = first, second = second, strength = strength, direction = none }, EqualityConstraint)
end

function EqualityConstraint:execute()
    self:output().value = self:input().value
end

-- second = first * scale + offset
local ScaleConstraint = class(BinaryConstraint)

function ScaleConstraint.new(first, scale, offset, second, strength)
    return setmetatable({ first = first, second = second, scale = scale, offset = offset, strength = strength,
        direction = none }, ScaleConstraint)
end

function ScaleConstraint:attach()
    BinaryConstraint.attach(self)
    local constraints = self.scale.constraints
    constraints[#constraints + 1] = self
    constraints = self.offset.constraints
    constraints[#constraints + 1] = self
end

function ScaleConstraint:detach()
    BinaryConstraint.detach(self)
    self.scale:detach(self)
    self.offset:detach(self)
end

function ScaleConstraint:markInputs(mark)
    BinaryConstraint.markInputs(self, mark)
    self.scale.mark = mark
    self.offset.mark = mark
end

function ScaleConstraint:recalculate()
    local input = self:input()
    local out = self:output()
    out.walkStrength = math.max(self.strength, input.walkStrength)
    out.stay = input.stay and self.scale.stay and self.offset.stay
    if out.stay then
        self:execute()
    end
end

function ScaleConstraint:execute()
    if self.direction == forward then
        self.second.value = self.first.value * self.scale.value + self.offset.value
    else
        self.first.value = (self.second.value - self.offset.value) / self.scale.value
    end
end

-- Constraints in an order in which each finds its inputs computed.
local Plan = class()

function Plan.new()
    return setmetatable({ steps = {} }, Plan)
end

function Plan:add(constraint)
    self.steps[#self.steps + 1] = constraint
end

function Plan:execute()
    local steps = self.steps
    for i = 1, #steps do
        steps[i]:execute()
    end
end

function Plan:length()
    return #self.steps
end

local Planner = class()

function Planner.new()
    return setmetatable({ currentMark = 0 }, Planner)
end

function Planner:newMark()
    self.currentMark = self.currentMark + 1
    return self.currentMark
end

-- Satisfies a new constraint, and again those that it drives out.
function Planner:incrementalAdd(constraint)
    local mark = self:newMark()
    local overridden = constraint:satisfy(mark, self)
    while overridden ~= nil do
        overridden = overridden:satisfy(mark, self)
    end
end

-- Removes a constraint, and gives those a chance, strongest first, that it kept from being satisfied.
function Planner:incrementalRemove(constraint)
    local out = constraint:output()
    constraint:markUnsatisfied()
    constraint:detach()
    local unsatisfied = self:removePropagateFrom(out)
    for strength = required, weakest - 1 do
        for i = 1, #unsatisfied do
            local candidate = unsatisfied[i]
            if candidate.strength == strength then
                self:incrementalAdd(candidate)
            end
        end
    end
end

-- Recalculates what hangs on a newly satisfied constraint. False if it hangs on itself.
function Planner:addPropagate(constraint, mark)
    local todo = { constraint }
    while #todo > 0 do
        local next = table.remove(todo)
        local out = next:output()
        if out.mark == mark then
            self:incrementalRemove(constraint)
            return false
        end
        next:recalculate()
        self:addConsumers(out, todo)
    end
    return true
end

-- Recalculates what hung on a constraint that is gone. Returns the constraints on the way that are unsatisfied.
function Planner:removePropagateFrom(out)
    out.determinedBy = nil
    out.walkStrength = weakest
    out.stay = true
    local unsatisfied = {}
    local todo = { out }
    while #todo > 0 do
        local variable = table.remove(todo)
        local determining = variable.determinedBy
        local constraints = variable.constraints
        for i = 1, #constraints do
            local constraint = constraints[i]
            if not constraint:isSatisfied() then
                unsatisfied[#unsatisfied + 1] = constraint
            elseif constraint ~= determining then
                constraint:recalculate()
                todo[#todo + 1] = constraint:output()
            end
        end
    end
    return unsatisfied
end

-- The constraints to execute, in order, when what `sources` put in has changed.
function Planner:makePlan(sources)
    local mark = self:newMark()
    local plan = Plan.new()
    local todo = {}
    for i = 1, #sources do
        local source = sources[i]
        if source:isInput() and source:isSatisfied() then
            todo[#todo + 1] = source
        end
    end
    while #todo > 0 do
        local next = table.remove(todo)
        local out = next:output()
        if out.mark ~= mark and next:inputsKnown(mark) then
            plan:add(next)
            out.mark = mark
            self:addConsumers(out, todo)
        end
    end
    return plan
end

-- Adds the constraints that compute something from `variable`.
function Planner:addConsumers(variable, list)
    local determining = variable.determinedBy
    local constraints = variable.constraints
    for i = 1, #constraints do
        local constraint = constraints[i]
        if constraint ~= determining and constraint:isSatisfied() then
            list[#list + 1] = constraint
        end
    end
end

local function expect(what, found, wanted)
    if found ~= wanted then
        error(what .. ": " .. wanted .. " expected, " .. found .. " found")
    end
end

-- Variables in a row, each equal to the one before; the first one is edited. Returns the length of the plan.
local function chain(n)
    local planner = Planner.new()
    local variables = {}
    for i = 1, n + 1 do
        variables[i] = Variable.new(0)
        if i > 1 then
            EqualityConstraint.new(variables[i - 1], variables[i], required):post(planner)
        end
    end
    local first = variables[1]
    local last = variables[n + 1]
    StayConstraint.new(last, strongDefault):post(planner)
    local edit = EditConstraint.new(first, preferred)
    edit:post(planner)
    local plan = planner:makePlan({ edit })
    for i = 0, 99 do
        first.value = i
        plan:execute()
        expect("chain", last.value, i)
    end
    edit:destroy(planner)
    return plan:length()
end

local function change(variable, value, planner)
    local edit = EditConstraint.new(variable, preferred)
    edit:post(planner)
    local plan = planner:makePlan({ edit })
    for _ = 1, 10 do
        variable.value = value
        plan:execute()
    end
    edit:destroy(planner)
end

-- Pairs of variables, one of which is the other one scaled. Returns the sum of the scaled ones at the end.
local function projection(n)
    local planner = Planner.new()
    local scale = Variable.new(10)
    local offset = Variable.new(1000)
    local sources = {}
    local targets = {}
    for i = 1, n do
        local source = Variable.new(i - 1)
        local target = Variable.new(i - 1)
        sources[i] = source
        targets[i] = target
        StayConstraint.new(source, normal):post(planner)
        ScaleConstraint.new(source, scale, offset, target, required):post(planner)
    end
    local source = sources[n]
    local target = targets[n]
    change(source, 17, planner)
    expect("target", target.value, 1170)
    change(target, 1050, planner)
    expect("source", source.value, 5)
    change(scale, 5, planner)
    for i = 1, n - 1 do
        expect("scale", targets[i].value, (i - 1) * 5 + 1000)
    end
    change(offset, 2000, planner)
    for i = 1, n - 1 do
        expect("offset", targets[i].value, (i - 1) * 5 + 2000)
    end
    local sum = 0
    for i = 1, n do
        sum = sum + targets[i].value
    end
    return sum
end

local n = math.floor(tonumber((...)) or 24000)
print("chain: a plan of " .. chain(n) .. " steps")
print("projection: sum " .. projection(n))
