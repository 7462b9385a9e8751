/**
 * One description of a thing gives its type, its writer and its checked reader. A struct is a MessagePack array by position, so
 * the order of fields is part of the protocol.
 */
import type { Bytes } from './bytes.ts';
import { fail } from './errors.ts';
import { Memo } from './memo.ts';
import { MALFORMED, Reader, Writer } from './msgpack.ts';
import { textOf } from './wire-text.ts';

export interface Schema<T> {
  write(writer: Writer, value: T): void;
  /** Throws `MALFORMED` only. */
  read(reader: Reader): T;
}

/** The type that a schema describes. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** True or false. */
export const boolean: Schema<boolean> = {
  write: (writer, value) => writer.boolean(value),
  read: (reader) => reader.boolean(),
};

/** A finite number. */
export const float: Schema<number> = {
  write: (writer, value) => writer.float(value),
  read: (reader) => reader.float(),
};

/** An integer from 0 to `max`. */
export function uint(max: number): Schema<number> {
  return {
    write(writer, value) {
      if (value > max) throw fail('invalid', `${value} is more than ${max}.`);
      writer.uint(value);
    },
    read: (reader) => reader.uint(max),
  };
}

/** One of these words, as its number in the list: the order is part of the protocol. */
export function oneOf<T extends string>(words: readonly T[]): Schema<T> {
  return {
    write(writer, value) {
      const index = words.indexOf(value);
      if (index < 0) throw fail('invalid', `“${value}” is none of ${words.join(', ')}.`);
      writer.uint(index);
    },
    read: (reader) => words[reader.uint(words.length - 1)] as T,
  };
}

/** Milliseconds since 1970, up to 2^53 − 1. A clock may give parts of one: they are not written. */
export const time: Schema<number> = {
  write: (writer, value) => writer.uint(Math.floor(value)),
  read: (reader) => reader.uint(Number.MAX_SAFE_INTEGER),
};

/** UTF-8 text of at most `max` bytes. */
export function string(max: number): Schema<string> {
  return {
    write: (writer, value) => writeText(writer, value, max),
    read: (reader) => reader.string(max),
  };
}

/** Texts that are remembered, as there are addresses of open nodes. If all are of the longest 2 MB. */
const TEXT_SLOTS = 2_048;
/** Keys that are remembered: all that a network of 10,000 nodes names. At most 12 MB; it grows by what comes, to some hundred KB in a day of a tab. */
const KEY_SLOTS = 32_768;

/** UTF-8 text of at most `max` bytes that `check` takes; made for texts that come again and again. */
export function checkedString(max: number, check: (text: string) => boolean): Schema<string> {
  const memo = new Memo((bytes) => {
    const text = textOf(bytes, 0, bytes.length);
    return text !== null && check(text) ? text : null;
  }, TEXT_SLOTS);
  return {
    write(writer, value) {
      if (!check(value)) throw fail('invalid', `“${value}” does not have the form that the protocol wants.`);
      writeText(writer, value, max);
    },
    read: (reader) => reader.stringBy(memo, max),
  };
}

/** Binary of at most `max` bytes. What is read may be a view on the message. */
export function binary(max: number, min = 0): Schema<Bytes> {
  return {
    write(writer, value) {
      if (value.length < min || value.length > max)
        throw tooLarge(`${value.length} bytes`, min === max ? `exactly ${max}` : `${min} to ${max}`);
      writer.binary(value);
    },
    read: (reader) => reader.binary(min, max),
  };
}

/** Binary of exactly `length` bytes. */
export function fixed(length: number): Schema<Bytes> {
  return binary(length, length);
}

/** Binary of exactly `length` bytes, seen as something else; made for things that come again and again. */
export function fixedAs<T>(length: number, both: { parse: (bytes: Bytes) => T; format: (value: T) => Bytes }): Schema<T> {
  const bytes = fixed(length);
  const memo = new Memo(both.parse, KEY_SLOTS);
  return {
    write: (writer, value) => bytes.write(writer, both.format(value)),
    read: (reader) => reader.fixedBy(memo, length),
  };
}

/** Binary of exactly `length` bytes that comes again and again: read as one object for all messages, which owns its bytes. */
export function shared(length: number): Schema<Bytes> {
  return fixedAs<Bytes>(length, { parse: (bytes) => bytes, format: (bytes) => bytes });
}

/** Binary of exactly `length` bytes, seen as hexadecimal text; made for texts that come again and again. */
export function hexText<T extends string>(length: number, parse: (bytes: Uint8Array) => T): Schema<T> {
  const memo = new Memo(parse, KEY_SLOTS);
  return {
    write(writer, value) {
      if (value.length !== 2 * length) throw tooLarge(`${value.length} hexadecimal digits`, `exactly ${2 * length}`);
      writer.binaryOfHex(value);
    },
    read: (reader) => reader.fixedBy(memo, length),
  };
}

/** Nil or the thing. */
export function nullable<T>(item: Schema<T>): Schema<T | null> {
  return {
    write: (writer, value) => (value === null ? writer.nil() : item.write(writer, value)),
    read: (reader) => (reader.nil() ? null : item.read(reader)),
  };
}

/** At most `max` items. */
export function list<T>(item: Schema<T>, max: number): Schema<readonly T[]> {
  return {
    write(writer, values) {
      if (values.length > max) throw tooLarge(`${values.length} items`, `at most ${max}`);
      writer.array(values.length);
      for (const value of values) item.write(writer, value);
    },
    read(reader) {
      const length = reader.array(0, max);
      // As long as it will be: one that grows has room for sixteen more at once, and every contact keeps such a list.
      const values = new Array<T>(length);
      for (let i = 0; i < length; i++) values[i] = item.read(reader);
      return values;
    },
  };
}

/** Fields in the order they are written here. */
export function struct<T extends object>(fields: { readonly [K in keyof T]-?: Schema<T[K]> }): Schema<T> {
  const names = Object.keys(fields) as (keyof T)[];
  const schemas = names.map((name) => fields[name]);
  const count = names.length;
  // Every value starts as a copy of this: the engine then knows its shape, which halves the time to fill it.
  const blank = Object.fromEntries(names.map((name) => [name, undefined])) as T;
  return {
    write(writer, value) {
      writer.array(count);
      for (let i = 0; i < count; i++) (schemas[i] as Schema<T[keyof T]>).write(writer, value[names[i] as keyof T]);
    },
    read(reader) {
      reader.array(count, count);
      const value = { ...blank };
      for (let i = 0; i < count; i++) value[names[i] as keyof T] = (schemas[i] as Schema<T[keyof T]>).read(reader);
      return value;
    },
  };
}

/**
 * As `struct`, with one field more behind the others that was not always there: it is written only when it differs from `absent`, and what was
 * written without it is read with that.
 */
export function structAnd<T extends object, L extends keyof T>(
  fields: { readonly [K in Exclude<keyof T, L>]-?: Schema<T[K]> },
  later: { readonly name: L; readonly schema: Schema<T[L]>; readonly absent: T[L]; readonly isAbsent: (value: T[L]) => boolean },
): Schema<T> {
  const names = Object.keys(fields) as Exclude<keyof T, L>[];
  return {
    write(writer, value) {
      const whole = !later.isAbsent(value[later.name]);
      writer.array(names.length + (whole ? 1 : 0));
      for (const name of names) fields[name].write(writer, value[name]);
      if (whole) later.schema.write(writer, value[later.name]);
    },
    read(reader) {
      const count = reader.array(names.length, names.length + 1);
      const value: Partial<T> = {};
      for (const name of names) value[name] = fields[name].read(reader);
      value[later.name] = count > names.length ? later.schema.read(reader) : later.absent;
      return value as T;
    },
  };
}

/** One of several structs, told apart by `type`; on the wire `[number, ...fields]`. What a variant reads is made for the union, which writes `type` into it. */
export function union<T extends { readonly type: string }>(
  variants: {
    readonly [K in T['type']]: readonly [tag: number, schema: Schema<Omit<Extract<T, { type: K }>, 'type'>>];
  },
): Schema<T> {
  type Variant = { name: T['type']; tag: number; schema: Schema<object> };
  const all = Object.entries(variants).map(([name, variant]) => {
    const [tag, schema] = variant as [number, Schema<object>];
    return { name: name as T['type'], tag, schema } satisfies Variant;
  });
  const byTag = new Map(all.map((variant) => [variant.tag, variant]));
  const byName = new Map(all.map((variant) => [variant.name, variant]));
  if (byTag.size !== all.length) throw fail('internal', 'Two variants of a union share a tag.');
  return {
    write(writer, value) {
      const variant = byName.get(value.type) as Variant;
      writer.array(2);
      writer.uint(variant.tag);
      variant.schema.write(writer, value);
    },
    read(reader) {
      reader.array(2, 2);
      const variant = byTag.get(reader.uint(255));
      if (!variant) throw MALFORMED;
      const value: { type?: string } = variant.schema.read(reader);
      value.type = variant.name;
      return value as T;
    },
  };
}

/** The same bytes, seen as another type. `parse` answers null for what is not one. */
export function refine<T, U>(inner: Schema<T>, both: { parse: (value: T) => U | null; format: (value: U) => T }): Schema<U> {
  return {
    write: (writer, value) => inner.write(writer, both.format(value)),
    read(reader) {
      const value = both.parse(inner.read(reader));
      if (value === null) throw MALFORMED;
      return value;
    },
  };
}

/** Used again for each message: its buffer has the right size by then. Null while somebody writes with it. */
let spare: Writer | null = new Writer();

/** Throws `too-large` or `invalid` for what a reader would refuse: better here than as silence from the other end. */
export function encode<T>(schema: Schema<T>, value: T): Bytes {
  const writer = spare ?? new Writer();
  spare = null;
  try {
    schema.write(writer, value);
  } catch (error) {
    spare = new Writer(); // What this one holds is half a message.
    throw error;
  }
  const bytes = writer.take();
  spare = writer;
  return bytes;
}

/** The thing, or null when the bytes are not exactly one of it. Never throws; binary fields are views on `bytes`. */
export function decode<T>(schema: Schema<T>, bytes: Uint8Array): T | null {
  const reader = new Reader(bytes);
  try {
    const value = schema.read(reader);
    return reader.ended ? value : null;
  } catch (error) {
    if (error === MALFORMED) return null;
    throw error;
  }
}

function writeText(writer: Writer, value: string, max: number): void {
  const length = writer.string(value);
  if (length > max) throw tooLarge(`${length} bytes of text`, `at most ${max}`);
}

function tooLarge(is: string, allowed: string): Error {
  return fail('too-large', `${is} where the protocol allows ${allowed}.`);
}
