import { join } from 'node:path';
import { createTurns } from '../../kernel/index.ts';
import { replaceFileDurably } from '../../vim-drivers/host-files/index.ts';
import type { ScheduleBook, ScheduleRecord } from '../../vim-drivers/site-controller/index.ts';
import { STATE_FORMATS } from '../state-formats.ts';
import { readVersioned, type Versioned } from '../versioned-file.ts';

type Records = Readonly<Record<string, ScheduleRecord>>;

const FORMAT: Versioned<Records> = {
  version: STATE_FORMATS.schedules,
  upcasters: {},
  // Written by this program only, and whole.
  parse: ({ schedules }) => {
    if (typeof schedules !== 'object' || schedules === null) throw new TypeError('it has no `schedules`');
    return schedules as Records;
  },
};

/**
 * What ran of the schedules of one driver, in a file of the data directory.
 * @throws IotmanoError `store-newer` where a newer version has written it, `store-failed` where it cannot be read
 */
export async function openScheduleStore(dataDirectory: string, driver: string): Promise<ScheduleBook> {
  const path = join(dataDirectory, `schedules-${driver}.json`);
  let current: Records = (await readVersioned(path, FORMAT)) ?? {};
  const inTurn = createTurns();
  const write = async (id: string, record: ScheduleRecord | undefined): Promise<void> => {
    const { [id]: _, ...others } = current;
    const schedules = record === undefined ? others : { ...others, [id]: record };
    await replaceFileDurably(path, JSON.stringify({ schemaVersion: FORMAT.version, schedules }));
    current = schedules;
  };
  return {
    ids: () => Object.keys(current),
    get: (id) => current[id],
    put: (id, record) => inTurn(() => write(id, record)),
  };
}
