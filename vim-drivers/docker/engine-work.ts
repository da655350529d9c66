import type { Readable } from 'node:stream';
import { IotmanoError } from '../../kernel/index.ts';

/** The engine began to answer well, and then said that it cannot go on. */
export class WorkRefused extends Error {}

/**
 * Reads what the engine tells while it works, line by line, to the end.
 * @throws WorkRefused with what it says; IotmanoError `unavailable` when it goes away meanwhile
 */
export async function followWork(
  stream: Readable,
  engineName: string,
  onLine: (line: Readonly<Record<string, unknown>>) => Promise<void>,
): Promise<void> {
  const take = async (text: string): Promise<void> => {
    if (text.trim() === '') return;
    const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof line['error'] === 'string') throw new WorkRefused(line['error']);
    await onLine(line);
  };
  let rest = '';
  try {
    for await (const chunk of stream) {
      rest += String(chunk);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) await take(line);
    }
    await take(rest);
  } catch (error) {
    if (error instanceof WorkRefused || error instanceof IotmanoError) throw error;
    throw new IotmanoError(
      'unavailable',
      `the Docker Engine at ${engineName} went away meanwhile`,
      {},
      error,
    );
  }
}
