/**
 * A UDP socket or several in whatever network namespace this program is started in, worked by lines of JSON on its input; what arrives
 * is a line on its output. Plain JavaScript, as it is run by Node itself.
 *
 *   { "open": "a", "address": "0.0.0.0", "port": 0 }                            → { "opened": "a", "port": 40123 }
 *   { "send": "a", "text": "hello", "address": "203.0.113.3", "port": 3478 }
 *                                                                              → { "got": "a", "text": "…", "address": "…", "port": 1, "at": 12.3 }
 *   { "flood": "a", "count": 1000, "every": 1, "address": "…", "port": 1 }     sends the numbers from 0, so many ms apart
 */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const sockets = new Map();
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
/** Milliseconds on a clock that all programs of this machine share. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line)))
  .on('close', () => process.exit(0));

function obey(order) {
  if (order.open !== undefined) open(order);
  else if (order.send !== undefined) sockets.get(order.send).send(order.text, order.port, order.address);
  else if (order.flood !== undefined) flood(order);
}

function open({ open: name, address, port }) {
  const socket = createSocket('udp4');
  sockets.set(name, socket);
  socket.on('message', (data, from) => say({ got: name, text: data.toString(), address: from.address, port: from.port, at: now() }));
  socket.on('error', (error) => say({ failed: name, message: error.message }));
  socket.bind(port, address, () => say({ opened: name, port: socket.address().port }));
}

/** Each message says its number and when it left, in its first words. */
function flood({ flood: name, count, every, size = 100, address, port }) {
  const start = now();
  let sent = 0;
  const timer = setInterval(() => {
    for (const due = Math.min(count, Math.floor((now() - start) / every) + 1); sent < due; sent++) {
      sockets.get(name).send(`${sent} ${now()} `.padEnd(size, '.'), port, address);
    }
    if (sent === count) clearInterval(timer);
  }, 1);
}
