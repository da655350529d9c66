import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { GroupCommit, type Job } from './group-commit.ts';

let database: DatabaseSync;
let commits: number[];
let group: GroupCommit;
const answers: string[] = [];

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
  group = new GroupCommit(database, {
    onCommitted: (jobs) => commits.push(jobs),
    failure: (reason) => `failed: ${reason}`,
    onDiskFailure: () => undefined,
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
