-- Single lookups of random existing people, tokens in turn.
-- Arguments: file of NIKs, file of tokens, milliseconds to wait before each request (0: none).
local niks, heads, turn = {}, {}, 1

local function lines(name, into)
  for line in io.lines(name) do into[#into + 1] = line end
end

function init(args)
  local tokens = {}
  lines(args[1], niks)
  lines(args[2], tokens)
  for _, token in ipairs(tokens) do
    heads[#heads + 1] = "POST /v1/individuals/lookup HTTP/1.1\r\n"
      .. "Host: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
      .. "Authorization: Bearer " .. token .. "\r\n"
      .. "Content-Type: application/json\r\nContent-Length: 26\r\n\r\n{\"nik\":\""
  end
  math.randomseed(os.time())
  local pause = tonumber(args[3])
  if pause > 0 then
    function delay() return math.random(0, 2 * pause) end
  end
end

function request()
  turn = turn % #heads + 1
  return heads[turn] .. niks[math.random(#niks)] .. "\"}"
end
