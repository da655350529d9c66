/** What an agent's program says of itself in its first line, so that nobody has to run it to know. */
export interface AgentProgram {
  readonly version: string;
  /** Name of each kind of file that it keeps → the `schemaVersion` that it writes. */
  readonly formats: Readonly<Record<string, number>>;
}

const LINE = /^\/\*! iotmano-agent (\{[^\n]{0,4000}\}) \*\/\r?\n/;
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/;

/** Bytes at the beginning of a program that are enough to read its first line. */
export const AGENT_PROGRAM_HEAD_BYTES = 4096;

/** The first line of a program. @throws RangeError where the version is no word of letters, digits, `.`, `+` and `-` */
export function renderAgentProgram({ version, formats }: AgentProgram): string {
  if (!VERSION.test(version))
    throw new RangeError(`${JSON.stringify(version)} is no version of an agent, such as 1.2.0`);
  return `/*! iotmano-agent ${JSON.stringify({ version, formats })} */\n`;
}

/** What the program with that beginning says of itself; undefined where it is no agent's program. */
export function parseAgentProgram(head: string): AgentProgram | undefined {
  const text = LINE.exec(head)?.[1];
  if (text === undefined) return undefined;
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { version, formats } = said as Readonly<Record<string, unknown>>;
  if (typeof version !== 'string' || !VERSION.test(version) || !areFormats(formats)) return undefined;
  return { version, formats };
}

function areFormats(value: unknown): value is AgentProgram['formats'] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((version) => Number.isSafeInteger(version) && version > 0);
}
