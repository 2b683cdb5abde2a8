-- Particles in a box: vectors as objects with operators, one class of forces for each kind, collisions with the walls,
-- particles that die and come again. Argument: how many steps.

-- A class whose objects find what they do not have themselves in it, and what it does not have in `base`.
local function class(base)
    local new = {}
    new.__index = new
    return setmetatable(new, base)
end

local Vec = class()

function Vec.new(x, y, z)
    return setmetatable({ x = x, y = y, z = z }, Vec)
end

function Vec.__add(a, b)
    return Vec.new(a.x + b.x, a.y + b.y, a.z + b.z)
end

function Vec.__sub(a, b)
    return Vec.new(a.x - b.x, a.y - b.y, a.z - b.z)
end

function Vec.__mul(a, b)
    if type(a) == "number" then
        a, b = b, a
    end
    return Vec.new(a.x * b, a.y * b, a.z * b)
end

function Vec.__unm(a)
    return Vec.new(-a.x, -a.y, -a.z)
end

function Vec:dot(other)
    return self.x * other.x + self.y * other.y + self.z * other.z
end

function Vec:length()
    return math.sqrt(self:dot(self))
end

local Particle = class()

function Particle.new(position, velocity, mass)
    return setmetatable({ position = position, velocity = velocity, mass = mass, age = 0, bounces = 0 }, Particle)
end

function Particle:move(force, time)
    self.velocity = self.velocity + force * (time / self.mass)
    self.position = self.position + self.velocity * time
    self.age = self.age + 1
end

function Particle:energy()
    return 0.5 * self.mass * self.velocity:dot(self.velocity)
end

-- What pulls or pushes a particle.
local Force = class()

local Gravity = class(Force)

function Gravity.new(acceleration)
    return setmetatable({ acceleration = acceleration }, Gravity)
end

function Gravity:on(particle)
    return particle.mass * self.acceleration
end

-- Slows down the more, the faster a particle is.
local Drag = class(Force)

function Drag.new(factor)
    return setmetatable({ factor = factor }, Drag)
end

function Drag:on(particle)
    local velocity = particle.velocity
    return -velocity * (self.factor * velocity:length())
end

-- Pulls to a point, weakly at its very place.
local Attractor = class(Force)

function Attractor.new(center, strength)
    return setmetatable({ center = center, strength = strength }, Attractor)
end

function Attractor:on(particle)
    local toCenter = self.center - particle.position
    local square = toCenter:dot(toCenter) + 0.25
    return toCenter * (self.strength * particle.mass / (square * math.sqrt(square)))
end

local World = class()

-- `half` is half of the box's side.
function World.new(half, count, forces)
    local self = setmetatable({ half = half, forces = forces, particles = {}, seed = 42, born = 0, bounces = 0 }, World)
    for i = 1, count do
        self.particles[i] = self:spawn()
    end
    return self
end

function World:random()
    self.seed = (self.seed * 3877 + 29573) % 139968
    return self.seed / 139968 - 0.5
end

function World:randomVec(size)
    local x = self:random() * size
    local y = self:random() * size
    return Vec.new(x, y, self:random() * size)
end

function World:spawn()
    self.born = self.born + 1
    local position = self:randomVec(2 * self.half)
    local velocity = self:randomVec(4)
    return Particle.new(position, velocity, 1.5 + self:random())
end

-- Puts a particle that went through a wall back to it, and turns it round.
function World:keepInside(particle)
    local half = self.half
    local at = particle.position
    local x = math.max(-half, math.min(half, at.x))
    local y = math.max(-half, math.min(half, at.y))
    local z = math.max(-half, math.min(half, at.z))
    if x == at.x and y == at.y and z == at.z then
        return
    end
    local speed = particle.velocity
    particle.position = Vec.new(x, y, z)
    particle.velocity = Vec.new(
        x == at.x and speed.x or -0.75 * speed.x,
        y == at.y and speed.y or -0.75 * speed.y,
        z == at.z and speed.z or -0.75 * speed.z
    )
    particle.bounces = particle.bounces + 1
    self.bounces = self.bounces + 1
end

function World:step(time)
    local particles = self.particles
    local forces = self.forces
    for i = 1, #particles do
        local particle = particles[i]
        local force = Vec.new(0, 0, 0)
        for j = 1, #forces do
            force = force + forces[j]:on(particle)
        end
        particle:move(force, time)
        self:keepInside(particle)
        if particle.age > 300 or particle.bounces > 5 then
            particles[i] = self:spawn()
        end
    end
end

function World:energy()
    local sum = 0
    for i = 1, #self.particles do
        sum = sum + self.particles[i]:energy()
    end
    return sum
end

function World:center()
    local sum = Vec.new(0, 0, 0)
    for i = 1, #self.particles do
        sum = sum + self.particles[i].position
    end
    return sum * (1 / #self.particles)
end

local steps = math.floor(tonumber((...)) or 2000)
local world = World.new(5, 200, {
    Gravity.new(Vec.new(0, -1, 0)),
    Drag.new(0.05),
    Attractor.new(Vec.new(2, 0, 0), 3),
    Attractor.new(Vec.new(-2, 1, 1), 2),
})
for _ = 1, steps do
    world:step(0.02)
end
local center = world:center()
print("born " .. world.born .. ", bounces " .. world.bounces)
print(string.format("energy %.9f, center %.9f %.9f %.9f", world:energy(), center.x, center.y, center.z))
