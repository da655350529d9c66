import { IotmanoError } from '../kernel/index.ts';
import type { Case } from './case.ts';
import { loadRequirements } from './requirements.ts';
import { UNOBSERVABLE } from './unobservable.ts';

/**
 * The ids of `--only`, checked.
 * @throws IotmanoError `invalid-parameter` for what is neither a requirement nor a case of this side
 */
export function parseOnly(
  only: readonly string[] | undefined,
  cases: readonly Case<never>[],
): readonly string[] | undefined {
  if (only === undefined || only.length === 0) return undefined;
  for (const id of only) {
    if (cases.some((each) => each.id === id || each.requirements.includes(id))) continue;
    throw new IotmanoError('invalid-parameter', `--only ${id}: ${whyNot(id)}; see --list`, {
      parameter: 'only',
    });
  }
  return only;
}

function whyNot(id: string): string {
  const hidden = UNOBSERVABLE.find((each) => each.id === id);
  if (hidden !== undefined) return `it does not show on the wire: ${hidden.why}`;
  const known = loadRequirements().find((each) => each.id === id);
  if (known === undefined) return 'there is no such requirement or case';
  return known.state === 'specified' ? 'it is not in this version of Mco' : 'it binds the other side';
}
