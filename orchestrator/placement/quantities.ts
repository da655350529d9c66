const BYTE_UNITS = [
  ['Ti', 2 ** 40],
  ['Gi', 2 ** 30],
  ['Mi', 2 ** 20],
  ['Ki', 2 ** 10],
] as const;

/** Bytes as a descriptor spells them: `96Mi`. What is no multiple of 1Ki is rounded down to one. */
export function spellBytes(bytes: number): string {
  const [unit, size] = BYTE_UNITS.find(([, each]) => bytes >= each && bytes % each === 0) ?? ['Ki', 2 ** 10];
  return `${Math.floor(bytes / size)}${unit}`;
}

/** Thousandths of a reference core as a descriptor spells them: `250m`, `2`. */
export function spellCpu(millis: number): string {
  return millis > 0 && millis % 1000 === 0 ? String(millis / 1000) : `${Math.floor(millis)}m`;
}
