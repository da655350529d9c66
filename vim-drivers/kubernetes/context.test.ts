import { describe, expect, it } from 'vitest';
import type { SlotSet } from './cluster-view.ts';
import { WrittenSets } from './context.ts';

function deployment(replicas: number, image: string, generation = 1): SlotSet {
  const template = { spec: { containers: [{ name: 'main', image }] } };
  const object = { metadata: { uid: 'u1', generation }, spec: { replicas, selector: {}, template } };
  return { kind: 'deployment', object };
}

describe('a set that was written', () => {
  const written = new WrittenSets();
  written.remember(deployment(1, 'a'), 'content');

  it.each([
    ['is as it was when only its annotations change', deployment(1, 'a', 2), false, false],
    ['is changed when somebody sets another image', deployment(1, 'b'), false, true],
    ['is changed when somebody scales it', deployment(0, 'a'), false, true],
    ['is as it was when the driver itself has given it up', deployment(0, 'a'), true, false],
    ['is changed when somebody scales up what was given up', deployment(1, 'a'), true, true],
  ])('%s', (_, set, isGivenUp, expected) => {
    expect(written.isChangedByOthers(set, 'content', isGivenUp)).toBe(expected);
  });

  it('is not judged when another driver has made something else of it', () => {
    expect(written.isChangedByOthers(deployment(1, 'b'), 'other content', false)).toBe(false);
  });
});
