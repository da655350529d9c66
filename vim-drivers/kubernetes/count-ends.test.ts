import { describe, expect, it } from 'vitest';
import { countEnds, type EndBook } from './count-ends.ts';

const POLICY = { withinSeconds: 60, times: 3, backoffMinSeconds: 1, backoffMaxSeconds: 4 };

function seen(count: number, lastRunMilliseconds: number, pod = 'a', isSeenFromStart = true) {
  return { pod, count, lastRunMilliseconds, isSeenFromStart };
}

/** Looks after each end. */
function follow(count: number, lastRunMilliseconds: number): EndBook {
  let book: EndBook | undefined;
  for (let ends = 0; ends <= count; ends += 1)
    book = countEnds(POLICY, book, seen(ends, lastRunMilliseconds));
  if (book === undefined) throw new Error('nothing was looked at');
  return book;
}

describe('counting the ends of a program that the cluster starts again', () => {
  it('gives up after the limit, in words', () => {
    expect(follow(3, 1000).verdict).toBeUndefined();
    expect(follow(4, 1000).verdict).toBe('ended 4 times within 60 s; not started again');
  });

  it('does not count the time for which the kubelet makes it wait beyond its own policy', () => {
    // Ten seconds of run each: four ends are forty seconds of the program's life, however far apart they are on the wall.
    expect(follow(4, 10_000).verdict).toBeDefined();
  });

  it('forgives ends that lie far apart', () => {
    expect(follow(50, 61_000).verdict).toBeUndefined();
  });

  it('counts what happened between two looks', () => {
    expect(countEnds(POLICY, follow(1, 500), seen(4, 500)).verdict).toBeDefined();
  });

  it('counts of a pod that it sees late only the end that it sees', () => {
    const late = countEnds(POLICY, undefined, seen(40, 500, 'a', false));
    expect(late.verdict).toBeUndefined();
    expect(late.recentExits).toHaveLength(1);
  });

  it('begins anew with another pod, and changes nothing when nothing has ended', () => {
    const book = follow(3, 1000);
    expect(countEnds(POLICY, book, seen(3, 1000))).toEqual(book);
    expect(countEnds(POLICY, book, seen(1, 1000, 'b')).verdict).toBeUndefined();
  });
});
