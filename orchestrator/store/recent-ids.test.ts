import { describe, expect, it } from 'vitest';
import { createRecentIds, WRITES_KEPT } from './recent-ids.ts';

describe('ids of recent writes', () => {
  it('tells what was written after a revision, each id once', () => {
    const recent = createRecentIds(3);
    for (const [revision, id] of [
      [4, 'a'],
      [5, 'b'],
      [5, 'c'],
      [7, 'b'],
    ] as const)
      recent.append(revision, id);
    expect(recent.since(3)).toEqual(['a', 'b', 'c']);
    expect(recent.since(4)).toEqual(['b', 'c']);
    expect(recent.since(5)).toEqual(['b']);
    expect(recent.since(7)).toEqual([]);
    expect(recent.since(2)).toBe('too-old');
  });

  it('forgets what is long ago, and says so instead of telling a part', () => {
    const recent = createRecentIds(0);
    const writes = 2 * WRITES_KEPT + 1;
    for (let revision = 1; revision <= writes; revision += 1) recent.append(revision, `r${revision}`);
    expect(recent.since(0)).toBe('too-old');
    expect(recent.since(writes - WRITES_KEPT)).toHaveLength(WRITES_KEPT);
    expect(recent.since(writes - 1)).toEqual([`r${writes}`]);
  });

  it('tells no part of a commit that is larger than what is kept', () => {
    const recent = createRecentIds(0);
    for (let count = 0; count <= 2 * WRITES_KEPT; count += 1) recent.append(1, `r${count}`);
    expect(recent.since(0)).toBe('too-old');
    expect(recent.since(1)).toEqual([]);
  });
});
