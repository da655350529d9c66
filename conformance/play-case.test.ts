import { describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/index.ts';
import { CaseFailure, NotApplicable, type Case } from './case.ts';
import { playCase, type CaseResult } from './play-case.ts';
import { renderResult } from './render.ts';
import { hasPassed, judgeRequirements, type ConformanceResult } from './result.ts';
import { show, type Trace } from './trace.ts';

const TWO = ['R-901', 'R-902'] as const;

function play(act: Case<Trace>['play'], timeoutSeconds = 5): Promise<CaseResult> {
  const one: Case<Trace> = { id: 'a-case', title: 'It does.', requirements: TWO, play: act };
  return playCase(one, (trace) => trace, {
    clock: systemClock,
    timeoutSeconds,
    signal: new AbortController().signal,
  });
}

describe('a case', () => {
  it('judges each requirement by itself, and goes on after one that does not hold', async () => {
    const { verdict, faults } = await play(async (_, { check }) => {
      check('R-901', false, 'it does not');
      check('R-902', true, 'it does not either');
    });
    expect([verdict, faults]).toEqual(['failed', [{ requirements: ['R-901'], message: 'it does not' }]]);
  });

  it('that cannot go on fails what is not judged yet', async () => {
    const { faults } = await play(async (_, { check }) => {
      check('R-901', true, '');
      throw new CaseFailure('no answer');
    });
    expect(faults).toEqual([{ requirements: ['R-902'], message: 'no answer' }]);
  });

  it('that never ends is ended, and failed', async () => {
    const { verdict, faults } = await play(() => new Promise(() => undefined), 0.05);
    expect([verdict, faults[0]?.message]).toEqual([
      'failed',
      'what was waited for did not come within 0.05 s',
    ]);
  });

  it('that needs what is not there is not applicable, unless something has failed before', async () => {
    const needs = new NotApplicable('needs a hand');
    expect(await play(async () => Promise.reject(needs))).toMatchObject({
      verdict: 'not-applicable',
      reason: 'needs a hand',
    });
    const failed = await play(async (_, { check }) => {
      check('R-901', false, 'no');
      throw needs;
    });
    expect(failed.verdict).toBe('failed');
  });

  it('may speak of its own requirements only', async () => {
    const { verdict, faults } = await play(async (_, { check }) => check('R-903', true, ''));
    expect([verdict, faults[0]?.message]).toEqual(['failed', expect.stringContaining('not one of its own')]);
  });
});

describe('what is shown of a message', () => {
  it('has neither secrets nor more characters than a report can bear', () => {
    const shown = show(
      { authorization: 'Bearer secret-1' },
      { token: 'secret-2', proof: 'secret-3', text: 'x'.repeat(5000) },
    );
    expect(JSON.stringify(shown)).not.toMatch(/secret-\d/);
    expect(shown.body?.length).toBeLessThan(2100);
  });
});

describe('the result', () => {
  const requirement = (id: string, state: 'implemented' | 'specified' = 'implemented') => ({
    id,
    state,
    sentence: `${id} SHALL <be>.`,
  });
  const document = [
    requirement('R-901'),
    requirement('R-902'),
    requirement('MCO-C-025'),
    requirement('R-903'),
    requirement('R-904', 'specified'),
  ];

  async function resultOf(...acts: readonly Case<Trace>['play'][]): Promise<ConformanceResult> {
    const cases = await Promise.all(acts.map((act) => play(act)));
    const requirements = judgeRequirements(document, 'agent', [], cases);
    return {
      side: 'agent',
      binding: 'http',
      startedAt: '2026-11-22T18:00:00.000Z',
      seconds: 1,
      requirements,
      cases,
    };
  }

  it('is failed where one case failed, passed where one was played, and leaves out what binds the other side', async () => {
    const result = await resultOf(
      async (_, { check }) => check('R-901', false, 'no "good"'),
      async () => Promise.reject(new NotApplicable('needs a hand')),
    );
    expect(result.requirements.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['R-901', 'failed'],
      ['R-902', 'passed'],
      ['MCO-C-025', 'not observable'],
      ['R-904', 'not in this version'],
    ]);
    expect(result.requirements[1]?.remarks).toEqual(['a-case: not applicable: needs a hand']);
    expect(hasPassed(result)).toBe(false);
  });

  it('is well-formed XML whatever an answer says, and tells each case and its requirements', async () => {
    const result = await resultOf(
      async (trace, { check }) => {
        trace.add({ atMilliseconds: 1, operation: 'getWanted', request: show({}, '<&"\u0001'), note: 'cut' });
        check('R-901', false, '<no> & "never"');
      },
      async () => Promise.reject(new NotApplicable('needs <a hand>')),
    );
    const xml = renderResult(result, 'junit');
    expect(xml).toContain('tests="2" failures="1" errors="0" skipped="1"');
    expect(xml).toContain('classname="R-901 R-902"');
    expect(xml).toContain('<skipped message="needs &lt;a hand&gt;"/>');
    // eslint-disable-next-line no-control-regex -- it is what must not be there
    expect(xml).not.toMatch(/\u0001|&(?!amp;|lt;|gt;|quot;)/);
    const opened = [...xml.matchAll(/<(\w+)[^>]*[^/]>/g)].map(([, name]) => name);
    const closed = [...xml.matchAll(/<\/(\w+)>/g)].map(([, name]) => name);
    expect(opened.length).toBeGreaterThan(3);
    expect(opened).toEqual(expect.arrayContaining(closed));
    expect(opened.length).toBe(closed.length);
  });

  it('shows people the messages of what failed', async () => {
    const result = await resultOf(async (trace, { check }) => {
      trace.add({
        atMilliseconds: 1500,
        operation: 'getWanted',
        request: show({ 'mco-version': '2.0' }, undefined, 'GET /x'),
        answer: { status: 200, ...show({}, { full: true }) },
      });
      check('R-901', false, 'it was taken');
    });
    const table = renderResult(result, 'table');
    for (const part of [
      'R-901: it was taken',
      'GET /x',
      '> mco-version: 2.0',
      '< 200',
      '< {"full":true}',
      'Not in this version of Mco: R-904',
    ])
      expect(table).toContain(part);
  });
});
