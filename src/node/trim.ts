/** Forgets the oldest members of a map or set beyond `max`. */
export function trim<K>(collection: Map<K, unknown> | Set<K>, max: number): void {
  for (const key of collection.keys()) {
    if (collection.size <= max) return;
    collection.delete(key);
  }
}
