/** oneM2M request and response primitives in their JSON short names (TS-0004), as they travel between the functions. */
export const OPERATION = { create: 1, retrieve: 2, update: 3, delete: 4, notify: 5 } as const;

export const RESOURCE_TYPE = {
  acp: 1,
  ae: 2,
  container: 3,
  contentInstance: 4,
  cseBase: 5,
  subscription: 23,
} as const;

export type ResourceAttributes = Readonly<Record<string, unknown>>;

export interface FilterCriteria {
  /** 1: discovery. */
  readonly fu?: number;
  readonly ty?: readonly number[];
  readonly lbl?: readonly string[];
  readonly crb?: string;
  readonly cra?: string;
  readonly lim?: number;
  readonly ofst?: number;
  readonly lvl?: number;
}

export interface RequestPrimitive {
  readonly op: number;
  readonly to: string;
  readonly fr: string;
  readonly rqi: string;
  readonly rvi: string;
  readonly ty?: number;
  readonly rcn?: number;
  readonly drt?: number;
  readonly fc?: FilterCriteria;
  readonly pc?: unknown;
  /** Minted by the receiving function: names one request of one originator, however often it is tried. */
  readonly key: string;
}

export interface ResponsePrimitive {
  readonly rsc: number;
  readonly pc?: unknown;
  /** Address of a created resource, relative to the CSE. */
  readonly location?: string;
  /** The list is not complete (content status 1) and goes on from this offset. */
  readonly cnst?: number;
  readonly cnot?: number;
  /** Nothing was done and trying again with the same key may succeed: not a oneM2M parameter, never leaves the CSE. */
  readonly retry?: boolean;
}

/** Response status codes (TS-0004 clause 6.6.3) with the HTTP status of each (TS-0009 clause 6.3.2). */
export const RSC = {
  ok: 2000,
  created: 2001,
  deleted: 2002,
  updated: 2004,
  badRequest: 4000,
  releaseVersionNotSupported: 4001,
  notFound: 4004,
  operationNotAllowed: 4005,
  requestTimeout: 4008,
  unsupportedMediaType: 4015,
  subscriptionCreatorHasNoPrivilege: 4101,
  contentsUnacceptable: 4102,
  originatorHasNoPrivilege: 4103,
  conflict: 4105,
  securityAssociationRequired: 4107,
  invalidChildResourceType: 4108,
  originatorHasAlreadyRegistered: 4117,
  internalServerError: 5000,
  notImplemented: 5001,
  targetNotReachable: 5103,
  subscriptionVerificationInitiationFailed: 5204,
  subscriptionHostHasNoPrivilege: 5205,
  notAcceptable: 5207,
} as const;

const HTTP_STATUS: Readonly<Record<number, number>> = {
  1000: 202,
  1001: 202,
  2000: 200,
  2001: 201,
  2002: 200,
  2004: 200,
  4000: 400,
  4001: 501,
  4004: 404,
  4005: 405,
  4008: 408,
  4015: 415,
  4101: 403,
  4102: 400,
  4103: 403,
  4105: 409,
  4107: 403,
  4108: 403,
  4117: 403,
  5000: 500,
  5001: 501,
  5103: 404,
  5204: 500,
  5205: 403,
  5207: 406,
};

/** HTTP status of a response status code. */
export function httpStatusOf(rsc: number): number {
  return HTTP_STATUS[rsc] ?? (rsc < 4000 ? 200 : rsc < 5000 ? 400 : 500);
}

const MEMBER_NAMES: Readonly<Record<number, string>> = {
  1: 'm2m:acp',
  2: 'm2m:ae',
  3: 'm2m:cnt',
  4: 'm2m:cin',
  5: 'm2m:cb',
  23: 'm2m:sub',
};

/** The member that holds a resource of the type in JSON, e.g. `m2m:cin`. */
export function memberNameOf(ty: number): string {
  return MEMBER_NAMES[ty] ?? `m2m:${ty}`;
}

/** The resource type of a JSON member, or undefined where this CSE has no such type. */
export function resourceTypeOfMember(member: string): number | undefined {
  const found = Object.entries(MEMBER_NAMES).find(([, name]) => name === member);
  return found === undefined ? undefined : Number(found[0]);
}
