/** Checks of attribute values by the type that the attribute policies name; what a type is not listed here, is not checked. */
type Check = (value: unknown) => string | undefined;

const TIMESTAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(,\d{1,6})?$/;
const EVENT_TYPES = [1, 2, 3, 4];

const isText = (value: unknown): value is string => typeof value === 'string';
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether the text is a time as oneM2M writes it (TS-0004 clause 6.3.3), and there is such a time. */
export function isTimestamp(value: unknown): boolean {
  const match = isText(value) ? TIMESTAMP.exec(value) : null;
  if (match === null) return false;
  const [, year, month, day, hour, minute, second] = match;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const time = Date.parse(`${written}Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(written);
}

function integer(minimum: number): Check {
  return (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum
      ? undefined
      : `must be a whole number from ${minimum} on`;
}

const text: Check = (value) => (isText(value) ? undefined : 'must be a text');
const nonEmptyText: Check = (value) =>
  isText(value) && value !== '' ? undefined : 'must be a text that is not empty';

const CHECKS: Readonly<Record<string, Check>> = {
  string: text,
  ID: nonEmptyText,
  IDCSR: nonEmptyText,
  AEID: nonEmptyText,
  anyURI: nonEmptyText,
  token: nonEmptyText,
  ncname: nonEmptyText,
  boolean: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  nonNegInteger: integer(0),
  positiveInteger: integer(1),
  enum: integer(0),
  timestamp: (value) => (isTimestamp(value) ? undefined : 'must be a time like 20301231T235959'),
  absRelTimestamp: (value) =>
    isTimestamp(value) || integer(0)(value) === undefined ? undefined : 'must be a time',
  jsonLike: () => undefined,
  'm2m:setOfAcrs': checkAccessRules,
  'm2m:eventNotificationCriteria': checkCriteria,
};

/** What is wrong with the value, or undefined. @param type a type name of the attribute policies */
export function checkValue(value: unknown, type: string, itemType: string | undefined): string | undefined {
  if (type !== 'list' && type !== 'listNE') return CHECKS[type]?.(value);
  if (!Array.isArray(value)) return 'must be a list';
  if (type === 'listNE' && value.length === 0) return 'must not be empty';
  for (const [index, item] of value.entries()) {
    const wrong = itemType === undefined ? undefined : CHECKS[itemType]?.(item);
    if (wrong !== undefined) return `[${index}] ${wrong}`;
  }
  return undefined;
}

function checkAccessRules(value: unknown): string | undefined {
  if (!isRecord(value)) return 'must be an object with a list "acr"';
  const rules = value['acr'] ?? [];
  if (!Array.isArray(rules)) return '.acr must be a list';
  for (const [index, rule] of rules.entries()) {
    if (!isRecord(rule)) return `.acr[${index}] must be an object`;
    const { acor, acop, ...rest } = rule;
    if (!Array.isArray(acor) || !acor.every(isText))
      return `.acr[${index}].acor must be a list of originators`;
    if (typeof acop !== 'number' || !Number.isInteger(acop) || acop < 0 || acop > 63) {
      return `.acr[${index}].acop must be a sum of 1, 2, 4, 8, 16 and 32`;
    }
    // A rule that is narrower than what is understood must not grant more than its author wanted.
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) return `.acr[${index}].${unknown} is not supported by this CSE`;
  }
  return undefined;
}

function checkCriteria(value: unknown): string | undefined {
  if (!isRecord(value)) return 'must be an object';
  const { net, chty, atr, ...rest } = value;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return `.${unknown} is not supported by this CSE`;
  if (
    net !== undefined &&
    !(Array.isArray(net) && net.length > 0 && net.every((type) => EVENT_TYPES.includes(type as number)))
  ) {
    return `.net must be a list of ${EVENT_TYPES.join(', ')}`;
  }
  if (chty !== undefined && !(Array.isArray(chty) && chty.every((type) => typeof type === 'number'))) {
    return '.chty must be a list of resource types';
  }
  if (atr !== undefined && !(Array.isArray(atr) && atr.every(isText)))
    return '.atr must be a list of attribute names';
  return undefined;
}
