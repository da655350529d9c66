import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../vim-drivers/host-files/index.ts';
import { STATE_FORMATS } from '../state-formats.ts';

/** How far the queue has been acknowledged, what it has dropped since it was made, and how much of that was told to somebody. */
export interface Cursor {
  readonly acknowledged: number;
  readonly dropped: number;
  readonly droppedTold: number;
}

/**
 * Not synced: after a power loss it may be old or gone. Then entries are offered again, which receivers recognise by their sequence.
 */
export async function saveCursor(
  directory: string,
  { acknowledged, dropped, droppedTold }: Cursor,
): Promise<void> {
  const content = JSON.stringify({ schemaVersion: STATE_FORMATS.queue, acknowledged, dropped, droppedTold });
  await replaceFile(join(directory, 'cursor.json'), content);
}

export async function loadCursor(directory: string): Promise<Cursor> {
  try {
    const content: unknown = JSON.parse(await readFile(join(directory, 'cursor.json'), 'utf8'));
    const { acknowledged, dropped, droppedTold } = content as Partial<Record<keyof Cursor, unknown>>;
    if (isCount(acknowledged) && isCount(dropped) && isCount(droppedTold)) {
      return { acknowledged, dropped, droppedTold };
    }
  } catch {
    // None yet, or torn by a power loss.
  }
  return { acknowledged: 0, dropped: 0, droppedTold: 0 };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
