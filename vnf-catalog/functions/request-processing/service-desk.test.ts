import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { ServiceDesk, type ServiceTerms } from './service-desk.ts';

const TERMS: ServiceTerms = { serviceMilliseconds: 10, concurrency: 2, queueMilliseconds: 100 };

function open(terms: Partial<ServiceTerms> = {}) {
  const clock = createFakeClock();
  const current = { ...TERMS, ...terms };
  const desk = new ServiceDesk(() => current, clock);
  const answers: (string | undefined)[] = [];
  /** Requests whose work has begun and not ended. */
  const state = { working: 0, most: 0 };
  const ask = (name: string, milliseconds = 0): void => {
    const work = async (): Promise<string> => {
      state.working += 1;
      state.most = Math.max(state.most, state.working);
      await clock.sleep(milliseconds);
      state.working -= 1;
      return name;
    };
    void desk.serve(work).then((answer) => answers.push(answer));
  };
  return { clock, current, desk, answers, state, ask };
}

describe('a service desk', () => {
  test('holds a place for the declared time, however soon the work is done, and serves in order', async () => {
    const { clock, desk, answers, ask } = open();
    for (const name of ['a', 'b', 'c']) ask(name);
    await clock.advance(9);
    expect([answers, desk.underWay]).toEqual([[], 3]);
    await clock.advance(1);
    expect([answers, desk.underWay]).toEqual([['a', 'b'], 1]);
    await clock.advance(10);
    expect(answers).toEqual(['a', 'b', 'c']);
  });

  test('without a declared time and limit works on everything at once, for as long as it takes', async () => {
    const { clock, answers, state, ask } = open({ serviceMilliseconds: 0, concurrency: 0 });
    for (const [name, milliseconds] of [
      ['slow', 30],
      ['fast', 1],
    ] as const)
      ask(name, milliseconds);
    await clock.advance(1);
    expect([answers, state.most]).toEqual([['fast'], 2]);
  });

  test('hands back untouched what waited too long', async () => {
    const { clock, desk, answers, state, ask } = open({ concurrency: 1, serviceMilliseconds: 150 });
    for (const name of ['a', 'b']) ask(name);
    await clock.advance(100);
    expect([answers, desk.underWay, state.most]).toEqual([[undefined], 1, 1]);
  });

  test('hands back what waits when it closes, and finishes what it works on', async () => {
    const { clock, desk, answers, ask } = open({ concurrency: 1 });
    for (const name of ['a', 'b', 'c']) ask(name);
    desk.close();
    await clock.advance(0);
    expect(answers).toEqual([undefined, undefined]);
    ask('late');
    await clock.advance(10);
    expect(answers).toEqual([undefined, undefined, undefined, 'a']);
    ask('later still, with a place free');
    await clock.advance(10);
    expect(answers.at(-1)).toBe('later still, with a place free');
  });

  test('gives a place to what waits as soon as more are declared', async () => {
    const { clock, current, desk, answers, ask } = open({ concurrency: 1 });
    for (const name of ['a', 'b']) ask(name);
    current.concurrency = 2;
    desk.refresh();
    await clock.advance(10);
    expect(answers).toEqual(['a', 'b']);
  });

  test('answers every request once and never works on more than it has places', async () => {
    const arrivals = fc.array(fc.record({ after: fc.nat(30), work: fc.nat(40) }), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        fc.integer({ min: 1, max: 4 }),
        fc.nat(200),
        async (requests, concurrency, closeAfter) => {
          const { clock, desk, answers, state, ask } = open({ concurrency });
          let elapsed = 0;
          for (const [index, { after, work }] of requests.entries()) {
            await clock.advance(after);
            elapsed += after;
            if (elapsed >= closeAfter) desk.close();
            ask(String(index), work);
          }
          await clock.advance(3_000);
          expect(answers).toHaveLength(requests.length);
          expect(new Set(answers.filter((answer) => answer !== undefined)).size).toBe(
            answers.filter((answer) => answer !== undefined).length,
          );
          expect(state.most).toBeLessThanOrEqual(concurrency);
          expect(desk.underWay).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
