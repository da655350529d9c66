/** Whether it could name an image at all; what could not may lead to quite another thing in the path of a call. */
export function isImageName(name: string): boolean {
  return /^[\w[][\w.:/@[\]+-]*$/.test(name) && !name.split('/').some((part) => /^\.*$/.test(part));
}

/** `docker.io` and `library` may be left out of a name. */
export function isSameName(a: string, b: string): boolean {
  const whole = (name: string): string => {
    const short = name.replace(/^(docker\.io\/)?(library\/)?/, '');
    return /:[^/]+$/.test(short) ? short : `${short}:latest`;
  };
  return whole(a) === whole(b);
}

/** A name without a tag means the tag `latest`: to leave it out would fetch all of them. */
export function splitName(name: string): { readonly repository: string; readonly tag?: string } {
  const digest = name.indexOf('@');
  if (digest >= 0) return { repository: name.slice(0, digest), tag: name.slice(digest + 1) };
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: 'latest' };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}
