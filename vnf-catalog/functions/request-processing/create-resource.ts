import {
  RESOURCE_TYPE,
  RSC,
  type Change,
  type RequestPrimitive,
  type ResourceAttributes,
  type ResponsePrimitive,
} from '../../shared/index.ts';
import { ACCESS, isAllowed } from './access.ts';
import { matchesOriginator, parseAddress, shortOriginator } from './address.ts';
import { decideAndCommit, demand } from './deciding.ts';
import type { Workbench } from './workbench.ts';
import { noPrivilege, refusal } from './refusal.ts';
import { changeResponse } from './result-content.ts';
import type { Sight } from './sights.ts';
import { isSupportedType, validateCreate } from './validate-content.ts';

const { acp, ae, container, contentInstance, cseBase, subscription } = RESOURCE_TYPE;

/** Which types may be created below which (TS-0001 clause 9.6), of those that this CSE has. */
const CHILDREN: Readonly<Record<number, readonly number[]>> = {
  [cseBase]: [acp, ae, container, subscription],
  [ae]: [acp, container, subscription],
  [container]: [container, contentInstance, subscription],
  [acp]: [subscription],
};

/** Types from there on are virtual, announced ones, or none of the standard's. */
const LAST_TYPE = 99;

/** One request must not make this CSE send any number. */
const MAX_TARGETS = 16;

const ID_PREFIXES: Readonly<Record<number, string>> = {
  [acp]: 'acp',
  [container]: 'cnt',
  [subscription]: 'sub',
};

export async function createResource(
  request: RequestPrimitive,
  bench: Workbench,
): Promise<ResponsePrimitive> {
  const ty = request.ty ?? 0;
  if (ty === cseBase || ty < 1 || ty > LAST_TYPE)
    throw refusal(RSC.badRequest, `resources of type ${ty} cannot be created`);
  if (!isSupportedType(ty)) throw refusal(RSC.notImplemented, `this CSE has no resources of type ${ty}`);
  const rcn = request.rcn ?? 1;
  if (![0, 1, 2, 3, 9].includes(rcn)) throw refusal(RSC.badRequest, `rcn ${rcn} does not go with a creation`);
  const content = validateCreate(ty, request.pc);
  const done = await decideAndCommit(
    request,
    bench,
    (sight) => decideCreation(request, bench, ty, sight, content),
    ty === contentInstance,
  );
  return changeResponse(done, rcn, content.isValid ? content.set : {});
}

async function decideCreation(
  request: RequestPrimitive,
  bench: Workbench,
  ty: number,
  sight: Sight,
  content: ReturnType<typeof validateCreate>,
): Promise<Change> {
  if (CHILDREN[sight.target.ty]?.includes(ty) !== true) {
    throw refusal(
      RSC.invalidChildResourceType,
      `a resource of type ${sight.target.ty} has no children of type ${ty}`,
    );
  }
  const originator = shortOriginator(request.fr, bench.settings.cseId);
  demandCreation(request, bench, ty, sight);
  if (!content.isValid) throw refusal(RSC.badRequest, content.reason);
  const { rn, ...given } = content.set;
  const registration = ty === ae ? registrationOf(originator, bench) : undefined;
  const org = registration ?? originator;
  const attributes = {
    ...given,
    ...(registration === undefined ? {} : { aei: registration }),
    ...(asksForCreator(request.pc) ? { cr: org } : {}),
    ...(await resolvePolicies(given, bench)),
  };
  if (ty === subscription)
    await verifyTargets(attributes, org, `${sight.target.path}/${typeof rn === 'string' ? rn : ''}`, bench);
  const ri =
    registration ?? (ty === contentInstance ? undefined : `${ID_PREFIXES[ty] ?? ''}${bench.newId()}`);
  return {
    op: 'create',
    parent: sight.target.ri,
    ty,
    org,
    attributes,
    ...(ri === undefined ? {} : { ri }),
    ...(typeof rn === 'string' ? { rn } : {}),
  };
}

/** Registration has rules of its own; to subscribe to a resource takes the privilege to retrieve it (TS-0001 clause 10.2.10.2). */
function demandCreation(request: RequestPrimitive, bench: Workbench, ty: number, sight: Sight): void {
  const { settings } = bench;
  const originator = shortOriginator(request.fr, settings.cseId);
  if (ty === ae && sight.target.ty === cseBase) {
    const mayRegister = settings.registration.some((pattern) => matchesOriginator(pattern, originator));
    const question = {
      originator,
      operation: ACCESS.create,
      governor: sight.governor,
      policies: sight.policies,
    };
    if (!mayRegister && !isAllowed(question, settings)) throw noPrivilege(request.fr, 'register an AE');
    return;
  }
  const operation = ty === subscription ? ACCESS.retrieve : ACCESS.create;
  demand(request, bench, sight, operation, `create a resource of type ${ty} below "${request.to}"`);
}

/** The AE-ID (TS-0001 clause 10.2.2.2): the one that the originator has, or a new one where it leaves that to the CSE. */
function registrationOf(originator: string, bench: Workbench): string {
  if (originator === '' || originator === 'C') return `C${bench.newId()}`;
  if (originator === 'S') return `S${bench.newId()}`;
  if (!/^[CS][A-Za-z0-9._~-]{0,63}$/.test(originator)) {
    throw refusal(
      RSC.badRequest,
      `"${originator.slice(0, 64)}" cannot be an AE-ID: C or S, then letters, digits and . _ ~ -`,
    );
  }
  return originator;
}

function asksForCreator(content: unknown): boolean {
  const [attributes] = Object.values(content as Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  return attributes?.['cr'] === null;
}

/** `acpi` with resource ids in place of addresses; each must be an accessControlPolicy. */
export async function resolvePolicies(
  attributes: ResourceAttributes,
  bench: Workbench,
): Promise<{ readonly acpi?: readonly string[] }> {
  const { acpi } = attributes;
  if (!Array.isArray(acpi)) return {};
  const resolved = await Promise.all(
    acpi.map(async (address: string) => {
      const parsed = parseAddress(address, bench.settings);
      const sight =
        parsed.kind === 'here' ? await bench.neighbours.look({ to: parsed.to }) : { found: false as const };
      if (!('found' in sight) || !sight.found || sight.target.ty !== acp) {
        throw refusal(RSC.badRequest, `acpi: "${address}" is not an accessControlPolicy of this CSE`);
      }
      return sight.target.ri;
    }),
  );
  return { acpi: resolved };
}

/** The targets are asked whether they want it, unless the creator itself is the target (TS-0004 clause 7.4.8.2.1). */
export async function verifyTargets(
  attributes: ResourceAttributes,
  creator: string,
  sur: string,
  bench: Workbench,
): Promise<void> {
  const { nu } = attributes;
  if (!Array.isArray(nu)) return;
  if (nu.length > MAX_TARGETS)
    throw refusal(RSC.notAcceptable, `a subscription has at most ${MAX_TARGETS} targets (nu)`);
  const others = nu.filter((target: string) => shortOriginator(target, bench.settings.cseId) !== creator);
  if (others.length === 0) return;
  const reply = await bench.neighbours.verify({ targets: others as string[], sur, creator });
  if (reply.rsc !== RSC.ok)
    throw refusal(reply.rsc, reply.debug ?? 'a target did not confirm the subscription');
}
