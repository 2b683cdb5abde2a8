-- Moves the sun and the four large planets under their gravity: numbers in records. Argument: how many steps.
local sqrt = math.sqrt
local solarMass = 4 * math.pi ^ 2
local daysPerYear = 365.24

local bodies = {
    { -- the sun
        x = 0, y = 0, z = 0,
        vx = 0, vy = 0, vz = 0,
        mass = solarMass,
    },
    { -- Jupiter
        x = 4.84143144246472090e+00, y = -1.16032004402742839e+00, z = -1.03622044471123109e-01,
        vx = 1.66007664274403694e-03 * daysPerYear,
        vy = 7.69901118419740425e-03 * daysPerYear,
        vz = -6.90460016972063023e-05 * daysPerYear,
        mass = 9.54791938424326609e-04 * solarMass,
    },
    { -- Saturn
        x = 8.34336671824457987e+00, y = 4.12479856412430479e+00, z = -4.03523417114321381e-01,
        vx = -2.76742510726411837e-03 * daysPerYear,
        vy = 4.99852801234917238e-03 * daysPerYear,
        vz = 2.30417297573763929e-05 * daysPerYear,
        mass = 2.85885980666130812e-04 * solarMass,
    },
    { -- Uranus
        x = 1.28943695621391310e+01, y = -1.51111514016986312e+01, z = -2.23307578892655734e-01,
        vx = 2.96460137564761618e-03 * daysPerYear,
        vy = 2.37847173959480950e-03 * daysPerYear,
        vz = -2.96589568540237556e-05 * daysPerYear,
        mass = 4.36624404335156298e-05 * solarMass,
    },
    { -- Neptune
        x = 1.53796971148509165e+01, y = -2.59193146099879641e+01, z = 1.79258772950371181e-01,
        vx = 2.68067772490389322e-03 * daysPerYear,
        vy = 1.62824170038242295e-03 * daysPerYear,
        vz = -9.51592254519715870e-05 * daysPerYear,
        mass = 5.15138902046611451e-05 * solarMass,
    },
}

-- Gives the sun the speed that keeps the centre of mass at rest.
local function holdStill(system)
    local px, py, pz = 0, 0, 0
    for _, body in ipairs(system) do
        px = px + body.vx * body.mass
        py = py + body.vy * body.mass
        pz = pz + body.vz * body.mass
    end
    local sun = system[1]
    sun.vx = -px / solarMass
    sun.vy = -py / solarMass
    sun.vz = -pz / solarMass
end

-- Kinetic energy of every body less the potential energy of every pair.
local function energy(system)
    local e = 0
    for i = 1, #system do
        local a = system[i]
        e = e + 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
        for j = i + 1, #system do
            local b = system[j]
            local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            e = e - a.mass * b.mass / sqrt(dx * dx + dy * dy + dz * dz)
        end
    end
    return e
end

-- One step of `dt` years: each pair attracts each other, then everything moves.
local function advance(system, dt)
    for i = 1, #system do
        local a = system[i]
        for j = i + 1, #system do
            local b = system[j]
            local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            local square = dx * dx + dy * dy + dz * dz
            local strength = dt / (square * sqrt(square))
            a.vx = a.vx - dx * b.mass * strength
            a.vy = a.vy - dy * b.mass * strength
            a.vz = a.vz - dz * b.mass * strength
            b.vx = b.vx + dx * a.mass * strength
            b.vy = b.vy + dy * a.mass * strength
            b.vz = b.vz + dz * a.mass * strength
        end
    end
    for _, body in ipairs(system) do
        body.x = body.x + dt * body.vx
        body.y = body.y + dt * body.vy
        body.z = body.z + dt * body.vz
    end
end

local steps = math.floor(tonumber((...)) or 300000)
holdStill(bodies)
print(string.format("%.9f", energy(bodies)))
for _ = 1, steps do
    advance(bodies, 0.01)
end
print(string.format("%.9f", energy(bodies)))
