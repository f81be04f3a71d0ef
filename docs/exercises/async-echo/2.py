# The same in asyncio
#
# Python's `asyncio` has the same idea: a task for each conversation, and one thread.
# Write `ask`: connect, send `message`, say that it is all, and return the whole reply.
#
# Hint: `reader, writer = await asyncio.open_connection("127.0.0.1", port)`.
#
# Hint: `writer.write(...)`, `writer.write_eof()`, then `await reader.read()` to the end.
#
# Server: --upper
#
# Prints:
# TASK 0, TASK 1, TASK 2, TASK 3, TASK 4
import asyncio
import sys

port = int(sys.argv[1])


async def ask(message):
    # Solution:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(message.encode())
    writer.write_eof()
    reply = await reader.read()
    writer.close()
    return reply.decode()
    # End.


async def main():
    replies = await asyncio.gather(*(ask(f"task {number}") for number in range(5)))
    print(", ".join(replies))


asyncio.run(main())
