/** Freezes plain data in place, all the way down; what is not plain, a date or a set, is left as it is. */
export function frozenData<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  for (const item of Object.values(value)) frozenData(item);
  return Object.freeze(value);
}
