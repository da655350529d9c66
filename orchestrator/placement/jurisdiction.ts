/** Member states of the European Union, ISO 3166-1 alpha-2. */
const EU = new Set(
  'AT BE BG HR CY CZ DE DK EE ES FI FR GR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
);

/** Whether a place lies in one of the jurisdictions: ISO 3166 codes (a subdivision lies in its country) or `EU`. */
export function isInJurisdiction(place: string | undefined, jurisdictions: readonly string[]): boolean {
  if (place === undefined) return false;
  const country = place.split('-')[0] ?? place;
  return jurisdictions.some(
    (wanted) => wanted === place || wanted === country || (wanted === 'EU' && EU.has(country)),
  );
}
