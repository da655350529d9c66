/** A primitive to be sent out by a field device protocol function. */
export interface NotifyRequest {
  readonly url: string;
  readonly fr: string;
  readonly rqi: string;
  readonly content: unknown;
  readonly timeoutMilliseconds: number;
}

export interface NotifyReply {
  /** The target answered. */
  readonly answered: boolean;
  readonly status?: number;
  readonly rsc?: number;
  readonly problem?: string;
}

export interface VerifyRequest {
  readonly targets: readonly string[];
  readonly sur: string;
  readonly creator: string;
}

export interface VerifyReply {
  /** 2000, or the response status code that the creation is refused with. */
  readonly rsc: number;
  readonly debug?: string;
}
