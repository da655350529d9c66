import {
  memberNameOf,
  type CommitDone,
  type ListItem,
  type ResourceAttributes,
  type ResponsePrimitive,
} from '../../shared/index.ts';

/** The response to a request that changed something, with the result content that it asked for (TS-0001 clause 8.1.2, rcn). */
export function changeResponse(done: CommitDone, rcn: number, sent: ResourceAttributes): ResponsePrimitive {
  const name = memberNameOf(done.ty);
  const base = done.rsc === 2001 ? { rsc: done.rsc, location: done.path } : { rsc: done.rsc };
  switch (rcn) {
    case 0:
      return base;
    case 2:
      return { ...base, pc: { 'm2m:uri': done.path } };
    case 3:
      return { ...base, pc: { 'm2m:rce': { uri: done.path, [name]: done.resource } } };
    case 9:
      return { ...base, pc: { [name]: modifiedOf(done, sent) } };
    default:
      return { ...base, pc: { [name]: done.resource } };
  }
}

/** Created: what the CSE added or changed. Updated: what the request touched, and what the CSE changed because of it. */
function modifiedOf(done: CommitDone, sent: ResourceAttributes): ResourceAttributes {
  const isCreation = done.rsc === 2001;
  const byItself = ['lt', 'st'];
  return Object.fromEntries(
    Object.entries(done.resource).filter(([name, value]) =>
      isCreation
        ? JSON.stringify(sent[name]) !== JSON.stringify(value)
        : name in sent || byItself.includes(name),
    ),
  );
}

/** A reference to a child (m2m:childResourceRef). */
export interface ChildReference {
  readonly nm: string;
  readonly typ: number;
  readonly val: string;
}

export function referenceTo(item: ListItem, isUnstructured: boolean): ChildReference {
  return { nm: item.rn, typ: item.ty, val: isUnstructured ? item.ri : item.path };
}

/** The items as members of their parents, as far as those are among them; what is left hangs from the root. */
export function nestBelow(rootId: string, items: readonly ListItem[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  const nodes = new Map<string, Record<string, unknown>>([[rootId, root]]);
  for (const item of items) nodes.set(item.ri, { ...item.resource });
  for (const item of items) {
    const node = nodes.get(item.ri);
    const parent = nodes.get(item.pi) ?? root;
    const name = memberNameOf(item.ty);
    const siblings = parent[name];
    if (Array.isArray(siblings)) siblings.push(node);
    else parent[name] = [node];
  }
  return root;
}
