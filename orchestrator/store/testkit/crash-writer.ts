/**
 * The process that crash.test.ts kills. Arguments: directory of the store, file to tell into.
 * Tells what it found when it opened, then commits groups of three records for ever, and tells of each only when it is durable.
 */
import { openSync, writeSync } from 'node:fs';
import { randomIds } from '../../../kernel/index.ts';
import { put } from './records.ts';
import { openSqliteStore } from '../index.ts';

/** Groups that are written at the same time. */
const GROUPS = 4;
const MEMBERS = ['a', 'b', 'c'];

const [directory = '', tellInto = ''] = process.argv.slice(2);
const file = openSync(tellInto, 'a');

function tell(...words: readonly (string | number)[]): void {
  writeSync(file, `${words.join(' ')}\n`);
}

const store = await openSqliteStore({
  directory,
  ids: randomIds,
  changeLogLimit: 60,
  onFatal: (error) => {
    tell('fatal', error.code);
    process.exit(70);
  },
});

function valueOf(group: number, member: string): number {
  return Number(store.get('session', `${group}.${member}`)?.document.bootId.slice('boot-'.length) ?? 0);
}

for (let group = 0; group < GROUPS; group += 1) {
  tell('found', group, ...MEMBERS.map((member) => valueOf(group, member)));
}
const changes = store.changesSince(Math.max(0, store.durableRevision - 5));
tell(
  'log',
  changes === 'too-old' ? changes : changes.every((change) => change.entries.length === 3) ? 'whole' : 'half',
);
tell('open', store.stateId, store.leaseNumber, store.durableRevision);
store.subscribe((change) => tell('seen', change.revision));

async function writeOn(group: number): Promise<never> {
  for (let value = valueOf(group, 'a') + 1; ; value += 1) {
    const { revision, durable } = store.commit(MEMBERS.map((member) => put(`${group}.${member}`, value)));
    await (value % 2 === 0 ? durable : store.whenDurable(revision));
    tell('act', group, value);
  }
}

await Promise.all(Array.from({ length: GROUPS }, (_, group) => writeOn(group)));
