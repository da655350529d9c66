import { describe, expect, it } from 'vitest';
import {
  AGENT_CASES,
  AGENT_COMMANDS,
  NOT_JUDGED_YET,
  ORCHESTRATOR_CASES,
  OPERATOR_ACTIONS,
  UNOBSERVABLE,
  loadRequirements,
} from './index.ts';
import { judgeRequirements } from './result.ts';

const requirements = loadRequirements();
const CASES = [...AGENT_CASES, ...ORCHESTRATOR_CASES];
const judged = new Set(CASES.flatMap((each) => each.requirements));
const unjudged = new Set(NOT_JUDGED_YET.map(({ id }) => id));
const hidden = new Set(UNOBSERVABLE.map(({ id }) => id));

describe('the cases of the kit', () => {
  it('show every requirement that is in this version and shows on the wire, but for those that are listed as not judged', () => {
    const open = requirements.filter(
      ({ id, state }) => state === 'implemented' && !judged.has(id) && !hidden.has(id) && !unjudged.has(id),
    );
    expect(open).toEqual([]);
  });

  it('speak of no requirement that is not there, not in this version, or not observable', () => {
    const known = new Map(requirements.map(({ id, state }) => [id, state]));
    expect([...judged].filter((id) => known.get(id) !== 'implemented' || hidden.has(id))).toEqual([]);
    expect([...hidden].filter((id) => known.get(id) !== 'implemented')).toEqual([]);
  });

  it('leave nothing listed as not judged that one judges, that does not show, or that is not there', () => {
    const known = new Map(requirements.map(({ id, state }) => [id, state]));
    const wrong = NOT_JUDGED_YET.filter(
      ({ id }) => judged.has(id) || hidden.has(id) || known.get(id) !== 'implemented',
    );
    expect(wrong).toEqual([]);
    expect(unjudged.size).toBe(NOT_JUDGED_YET.length);
  });

  it('never say that a requirement passed which is listed as not judged, and tell why', () => {
    for (const side of ['agent', 'orchestrator'] as const) {
      const told = judgeRequirements(requirements, side, [], []).filter(({ id }) => unjudged.has(id));
      const bound = NOT_JUDGED_YET.filter(({ sides }) => sides.includes(side));
      expect(told.map(({ id }) => id).toSorted()).toEqual(bound.map(({ id }) => id).toSorted());
      expect(told.filter(({ verdict }) => verdict !== 'not applicable')).toEqual([]);
      expect(told.filter(({ remarks }) => remarks.length !== 1)).toEqual([]);
    }
  });

  it('have a name of their own each, a title that is a sentence, and needs that somebody can meet', () => {
    const ids = CASES.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index || !/^[a-z0-9-]+$/.test(id))).toEqual([]);
    expect(CASES.filter(({ title }) => !/^[A-Z].*\.$/.test(title)).map(({ id }) => id)).toEqual([]);
    const known = new Set([...Object.keys(OPERATOR_ACTIONS), ...Object.keys(AGENT_COMMANDS)]);
    expect(CASES.flatMap(({ needs = [] }) => needs).filter((need) => !known.has(need))).toEqual([]);
  });
});
