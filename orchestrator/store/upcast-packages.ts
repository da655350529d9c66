/**
 * Version 1 of a package's document had one spread instead of a list, and a `near` that nothing acted on.
 * Pure; what is not as version 1 had it is left alone.
 */
export function upcastPackage(document: unknown): unknown {
  const old = document as {
    readonly descriptor?: { readonly placement?: Readonly<Record<string, unknown>> };
  };
  const placement = old.descriptor?.placement;
  if (placement === undefined) return document;
  const { near: _near, spread, ...rest } = placement;
  return {
    ...old,
    descriptor: { ...old.descriptor, placement: { ...rest, spread: spread === undefined ? [] : [spread] } },
  };
}
