/**
 * Every kind of file with a `schemaVersion` that an agent keeps in its data directory, and the version that it writes.
 * Who raises one makes a program that cannot be reached by an upgrade from a version that does not read it yet: reading comes one release before
 * writing. An agent sees so from the first line of the program, and refuses it before anything changes.
 */
export const STATE_FORMATS = {
  identity: 1,
  certificate: 1,
  assignments: 2,
  schedules: 1,
  alarms: 1,
  queue: 1,
  process: 1,
} as const;

/** Why a version that writes these could not be left again for this one; undefined: it could. */
export function whyUnreadable(formats: Readonly<Record<string, number>>): string | undefined {
  const known: Readonly<Record<string, number>> = STATE_FORMATS;
  const newer = Object.entries(formats).find(([name, version]) => version > (known[name] ?? version));
  if (newer === undefined) return undefined;
  const [name, version] = newer;
  return `it keeps ${name} as schemaVersion ${version}, and this version reads up to ${known[name] ?? 0}, so that there would be no way back; upgrade to a version between the two first`;
}
