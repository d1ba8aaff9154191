-- Requests made beforehand, each sent once: what is signed for one use cannot be sent again.
-- Argument: a file of whole requests, with a NUL after each.
local made, turn = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for one in file:read("*a"):gmatch("([^%z]+)%z") do made[#made + 1] = one end
  file:close()
end

function request()
  turn = turn + 1
  return made[turn]
end
