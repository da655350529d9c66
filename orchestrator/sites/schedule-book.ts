import { SYSTEM_TENANT, type HostId } from '../../kernel/index.ts';
import type { StateStore } from '../store/index.ts';
import type { ScheduleBook, ScheduleRecord } from '../../vim-drivers/site-controller/index.ts';

/** What ran of the schedules on a VIM, in the store: each leader goes on where the one before was. */
export function createScheduleBook(store: StateStore, hostId: HostId): ScheduleBook {
  const prefix = `${hostId}.`;
  return {
    ids: () => [...store.listByPrefix('schedule', prefix)].map(({ id }) => id.slice(prefix.length)),
    get: (id) => store.get('schedule', `${prefix}${id}`)?.document.record as ScheduleRecord | undefined,
    put: async (id, record) => {
      const known = store.get('schedule', `${prefix}${id}`);
      if (record !== undefined)
        await store.commit([
          {
            op: 'put',
            kind: 'schedule',
            id: `${prefix}${id}`,
            tenant: SYSTEM_TENANT,
            document: { record },
          },
        ]).durable;
      else if (known !== undefined)
        await store.commit([
          { op: 'delete', kind: 'schedule', id: known.id, expectedRevision: known.revision },
        ]).durable;
    },
  };
}
