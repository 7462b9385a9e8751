/**
 * A UDP socket or several in whatever network namespace this program is started in, worked by lines of JSON on its input; what arrives
 * is a line on its output. Plain JavaScript, as it is run by Node itself.
 *
 *   { "open": "a", "address": "0.0.0.0", "port": 0 }                            → { "opened": "a", "port": 40123 }
 *   { "send": "a", "text": "hello", "address": "203.0.113.3", "port": 3478 }
 *                                                                              → { "got": "a", "text": "…", "address": "…", "port": 1, "at": 12.3 }
 * What a flood sends is not told one by one: its numbers and times come as the `series` of the next message that is something else.
 *
 *   { "flood": "a", "count": 1000, "every": 1, "address": "…", "port": 1 }     sends the numbers from 0, so many ms apart
 *                                                                              → { "flooded": "a" } once all have left
 *   { "count": "eth0" }                                                        → { "counted": "eth0", "sent": 1, "arrived": 2, "bytes": 3, "at": 12.3 }
 *                                                                              packets that left by a device, that came by it, and their bytes
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
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
  else if (order.count !== undefined) count(order.count);
}

function count(device) {
  const read = (name) => Number(readFileSync(`/sys/class/net/${device}/statistics/${name}`, 'utf8'));
  say({ counted: device, sent: read('tx_packets'), arrived: read('rx_packets'), bytes: read('rx_bytes'), at: now() });
}

function open({ open: name, address, port }) {
  const socket = createSocket('udp4');
  sockets.set(name, socket);
  let series = [];
  socket.on('message', (data, from) => {
    const at = now();
    const text = data.toString('latin1', 0, 64).trimEnd();
    if (/^\d/.test(text)) {
      const [number, sent] = text.split(' ', 2);
      series.push([Number(number), Number(sent), at]);
      return;
    }
    say({ got: name, text, address: from.address, port: from.port, at, series });
    series = [];
  });
  socket.on('error', (error) => say({ failed: name, message: error.message }));
  socket.bind(port, address, () => say({ opened: name, port: socket.address().port }));
}

/** Each message says its number and when it left, in its first words. */
function flood({ flood: name, count, every, size = 100, address, port }) {
  const start = now();
  let sent = 0;
  const timer = setInterval(() => {
    for (const due = Math.min(count, Math.floor((now() - start) / every) + 1); sent < due; sent++) {
      sockets.get(name).send(`${sent} ${now()} `.padEnd(size), port, address);
    }
    if (sent < count) return;
    clearInterval(timer);
    say({ flooded: name });
  }, 1);
}
