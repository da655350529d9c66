import { describe, expect, it } from 'vitest';
import {
  AGENT_CASES,
  AGENT_COMMANDS,
  ORCHESTRATOR_CASES,
  OPERATOR_ACTIONS,
  UNOBSERVABLE,
  loadRequirements,
} from './index.ts';

const requirements = loadRequirements();
const CASES = [...AGENT_CASES, ...ORCHESTRATOR_CASES];
const judged = new Set(CASES.flatMap((each) => each.requirements));
const hidden = new Set(UNOBSERVABLE.map(({ id }) => id));

describe('the cases of the kit', () => {
  it('show every requirement that is in this version and shows on the wire', () => {
    const open = requirements.filter(
      ({ id, state }) => state === 'implemented' && !judged.has(id) && !hidden.has(id),
    );
    expect(open).toEqual([]);
  });

  it('speak of no requirement that is not there, not in this version, or not observable', () => {
    const known = new Map(requirements.map(({ id, state }) => [id, state]));
    expect([...judged].filter((id) => known.get(id) !== 'implemented' || hidden.has(id))).toEqual([]);
    expect([...hidden].filter((id) => known.get(id) !== 'implemented')).toEqual([]);
  });

  it('have a name of their own each, a title that is a sentence, and needs that somebody can meet', () => {
    const ids = CASES.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index || !/^[a-z0-9-]+$/.test(id))).toEqual([]);
    expect(CASES.filter(({ title }) => !/^[A-Z].*\.$/.test(title)).map(({ id }) => id)).toEqual([]);
    const known = new Set([...Object.keys(OPERATOR_ACTIONS), ...Object.keys(AGENT_COMMANDS)]);
    expect(CASES.flatMap(({ needs = [] }) => needs).filter((need) => !known.has(need))).toEqual([]);
  });
});
