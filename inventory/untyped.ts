// Careful steps into a document that nobody has validated.

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const at = (value: unknown, key: string): unknown =>
  isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
export const entries = (value: unknown): [string, unknown][] => (isRecord(value) ? Object.entries(value) : []);
