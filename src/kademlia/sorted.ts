/** Where `item` stands in a sorted list, or would stand. */
export function placeIn<T>(list: readonly T[], item: T, compare: (a: T, b: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(list[middle] as T, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts an item where it belongs; does nothing when it is there. */
export function insertSorted<T>(list: T[], item: T, compare: (a: T, b: T) => number): void {
  const at = placeIn(list, item, compare);
  if (list[at] !== item) list.splice(at, 0, item);
}

/** Takes an item out; does nothing when it is not there. */
export function removeSorted<T>(list: T[], item: T, compare: (a: T, b: T) => number): void {
  const at = placeIn(list, item, compare);
  if (list[at] === item) list.splice(at, 1);
}
