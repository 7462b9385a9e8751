/** What `npm run lab --` is told. */

/** The parts that can be chosen, in the order in which they run. */
export const PARTS = ['nats', 'links', 'pairs', 'relayed', 'lan', 'homes'] as const;

/** One of them. */
export type PartName = (typeof PARTS)[number];

/** With what is not said filled in. */
export interface LabOptions {
  readonly parts: readonly PartName[];
  /** Fresh starts of each pair of homes. */
  readonly tries: number;
  /** One way from a home to the public network (ms). */
  readonly delay: number;
  /** Minutes of watching over which signalling is counted. */
  readonly minutes: number;
  /** Prints all results as one line of JSON at the end. */
  readonly json: boolean;
  /** Writes docs/nat.md. */
  readonly write: boolean;
  /** Tells each step. */
  readonly verbose: boolean;
}

/** How it is called. */
export const USAGE = `npm run lab -- [--only ${PARTS.join(',')}] [--tries 20] [--delay 25] [--minutes 3] [--hour] [--json] [--write] [--verbose]`;

/** Reads the arguments. Throws, with words for a person, at one that is not known. */
export function readOptions(args: readonly string[]): LabOptions {
  const options = { parts: [...PARTS] as PartName[], tries: 20, delay: 25, minutes: 3, json: false, write: false, verbose: false };
  const left = [...args];
  const number = (name: string): number => {
    const text = left.shift();
    const value = Number(text);
    if (!text || !Number.isFinite(value) || value <= 0) throw new Error(`${name} needs a number above 0, not “${text ?? ''}”. ${USAGE}`);
    return value;
  };
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === '--only') options.parts = readParts(left.shift() ?? '');
    else if (arg === '--tries') options.tries = Math.ceil(number(arg));
    else if (arg === '--delay') options.delay = number(arg);
    else if (arg === '--minutes') options.minutes = number(arg);
    else if (arg === '--hour') options.minutes = 60;
    else if (arg === '--json') options.json = true;
    else if (arg === '--write') options.write = true;
    else if (arg === '--verbose') options.verbose = true;
    else throw new Error(`“${arg}” is no option of the lab. ${USAGE}`);
  }
  return options;
}

function readParts(text: string): PartName[] {
  const wanted = text.split(',');
  const unknown = wanted.filter((name) => !PARTS.includes(name as PartName));
  if (unknown.length > 0) throw new Error(`“${unknown.join(', ')}” is no part of the lab. The parts are ${PARTS.join(', ')}.`);
  return PARTS.filter((name) => wanted.includes(name));
}
