import { RESOURCE_TYPE, type Governor, type Policies, type PolicyContent } from '../../shared/index.ts';
import { matchesOriginator, shortOriginator } from './address.ts';

/** Access control operations (m2m:accessControlOperations), a bit each. */
export const ACCESS = { create: 1, retrieve: 2, update: 4, delete: 8, notify: 16, discover: 32 } as const;

export interface AccessQuestion {
  readonly originator: string;
  /** One of ACCESS. */
  readonly operation: number;
  readonly governor: Governor;
  readonly policies: Policies;
}

export interface AccessRules {
  readonly cseId: string;
  /** May do everything. */
  readonly adminOriginator: string;
}

/**
 * Whether the originator may do that (TS-0001 clause 9.6.2 and TS-0003 clause 7.1):
 * an accessControlPolicy is ruled by its own `pvs`; a resource with `acpi` by the `pv` of those policies, any of which
 * suffices; one without, or whose policies are all gone, by its creator alone; everybody may retrieve and discover the CSEBase.
 */
export function isAllowed(question: AccessQuestion, rules: AccessRules): boolean {
  const { governor, policies, operation } = question;
  const originator = shortOriginator(question.originator, rules.cseId);
  if (originator === rules.adminOriginator) return true;
  if (governor.ty === RESOURCE_TYPE.acp)
    return grants(policies[governor.ri]?.pvs ?? [], originator, operation, rules);
  const governing = policiesFor(governor, policies);
  if (governing.length > 0) return governing.some(({ pv }) => grants(pv, originator, operation, rules));
  if (governor.ty === RESOURCE_TYPE.cseBase)
    return operation === ACCESS.retrieve || operation === ACCESS.discover;
  return originator !== '' && governor.org === originator;
}

/** Whether the originator may change which policies govern the resource: a privilege of the policies' `pvs`. */
export function mayChangePolicies(question: Omit<AccessQuestion, 'operation'>, rules: AccessRules): boolean {
  const { governor, policies } = question;
  const originator = shortOriginator(question.originator, rules.cseId);
  if (originator === rules.adminOriginator) return true;
  const governing = policiesFor(governor, policies);
  if (governing.length === 0) return originator !== '' && governor.org === originator;
  return governing.some(({ pvs }) => grants(pvs, originator, ACCESS.update, rules));
}

/** Those of the resource's policies that exist (any more). */
function policiesFor(governor: Governor, policies: Policies): readonly PolicyContent[] {
  return (governor.acpi ?? []).flatMap((ri) => policies[ri] ?? []);
}

function grants(
  accessRules: Policies[string]['pv'],
  originator: string,
  operation: number,
  rules: AccessRules,
): boolean {
  return accessRules.some(
    ({ acor, acop }) =>
      (acop & operation) !== 0 &&
      acor.some((pattern) => matchesOriginator(shortOriginator(pattern, rules.cseId), originator)),
  );
}
