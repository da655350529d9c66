import {
  RESOURCE_TYPE,
  RSC,
  type Change,
  type RequestPrimitive,
  type ResponsePrimitive,
} from '../../shared/index.ts';
import { ACCESS, mayChangePolicies } from './access.ts';
import { resolvePolicies, verifyTargets } from './create-resource.ts';
import { decideAndCommit, demand } from './deciding.ts';
import type { Workbench } from './workbench.ts';
import { noPrivilege, refusal } from './refusal.ts';
import { changeResponse } from './result-content.ts';
import type { Sight } from './sights.ts';
import { validateUpdate } from './validate-content.ts';

export async function updateResource(
  request: RequestPrimitive,
  bench: Workbench,
): Promise<ResponsePrimitive> {
  const rcn = request.rcn ?? 1;
  if (![0, 1, 9].includes(rcn)) throw refusal(RSC.badRequest, `rcn ${rcn} does not go with an update`);
  const done = await decideAndCommit(request, bench, (sight) => decideUpdate(request, bench, sight), false);
  return changeResponse(done, rcn, rcn === 9 ? sentAttributes(request.pc) : {});
}

async function decideUpdate(request: RequestPrimitive, bench: Workbench, sight: Sight): Promise<Change> {
  const { target, governor, policies } = sight;
  if (target.ty === RESOURCE_TYPE.contentInstance || target.ty === RESOURCE_TYPE.cseBase) {
    throw refusal(RSC.operationNotAllowed, `a resource of type ${target.ty} cannot be updated`);
  }
  const content = validateUpdate(target.ty, request.pc);
  const changesPolicies =
    content.isValid && (content.set['acpi'] !== undefined || content.unset.includes('acpi'));
  if (!changesPolicies) demand(request, bench, sight, ACCESS.update, `update "${request.to}"`);
  else if (!mayChangePolicies({ originator: request.fr, governor, policies }, bench.settings))
    throw noPrivilege(request.fr, `change the access control policies of "${request.to}"`);
  if (!content.isValid) throw refusal(RSC.badRequest, content.reason);
  if (target.ty === RESOURCE_TYPE.subscription)
    await verifyTargets(content.set, governor.org, target.path, bench);
  const set = { ...content.set, ...(await resolvePolicies(content.set, bench)) };
  return { op: 'update', ri: target.ri, set, unset: content.unset };
}

function sentAttributes(content: unknown): Readonly<Record<string, unknown>> {
  const [attributes] = Object.values(content as Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  return attributes ?? {};
}
