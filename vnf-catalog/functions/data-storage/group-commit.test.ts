import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { GroupCommit, type Job } from './group-commit.ts';

let database: DatabaseSync;
let commits: number[];
let group: GroupCommit;
const answers: string[] = [];
const faults: string[] = [];

function insert(value: number): Job {
  return {
    run: () => {
      database.prepare('INSERT INTO t VALUES (?)').run(value);
      return `${value}`;
    },
    answer: (body) => {
      // Nothing is answered while a transaction is open.
      expect(database.isTransaction).toBe(false);
      answers.push(body);
    },
    isWrite: true,
  };
}

function rows(): unknown[] {
  return database
    .prepare('SELECT v FROM t ORDER BY v')
    .all()
    .map((row) => row['v']);
}

beforeEach(() => {
  database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE t (v INTEGER UNIQUE)');
  commits = [];
  answers.length = 0;
  faults.length = 0;
  group = new GroupCommit(database, {
    onCommitted: (jobs) => commits.push(jobs),
    failure: (reason) => `failed: ${reason}`,
    onDiskFailure: (reason) => faults.push(reason),
  });
});

describe('group commit', () => {
  test('puts what arrives together into one transaction and answers after it, in order', async () => {
    for (const value of [1, 2, 3]) group.add(insert(value));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(commits).toEqual([3]);
    expect(answers).toEqual(['1', '2', '3']);
  });

  test('one that fails is answered so, and does not take the others with it', () => {
    for (const value of [1, 1, 2]) group.add(insert(value));
    group.flush();
    expect(rows()).toEqual([1, 2]);
    expect(answers).toEqual(['1', expect.stringContaining('failed'), '2']);
  });

  test('on a full disk nothing is said to be done, reads are answered, and writes are taken again when there is room', () => {
    const room = (pages: number): void => database.exec(`PRAGMA max_page_count = ${pages}`);
    database.exec('CREATE TABLE big (v TEXT)');
    const big: Job = {
      ...insert(0),
      run: () => {
        database.prepare('INSERT INTO big VALUES (?)').run('x'.repeat(100_000));
        return 'big';
      },
    };
    const read: Job = { run: () => `${rows().length}`, answer: (body) => answers.push(body), isWrite: false };
    room(8);
    for (const job of [insert(1), big, read]) group.add(job);
    group.flush();
    expect(answers).toEqual(['1', expect.stringContaining('failed: '), '1']);
    room(1_000);
    group.add(big);
    group.flush();
    expect([answers.at(-1), faults]).toEqual(['big', []]);
  });

  test('reads alone open no transaction', () => {
    group.add({
      run: () => String(database.isTransaction),
      answer: (body) => answers.push(body),
      isWrite: false,
    });
    group.flush();
    expect(answers).toEqual(['false']);
  });
});
