/** A set of rows, one bit each. */
export class Bits {
  words: Uint32Array;

  constructor(size: number) {
    this.words = new Uint32Array((size + 31) >>> 5);
  }

  static ofAll(size: number): Bits {
    const bits = new Bits(size);
    bits.words.fill(0xffffffff);
    const rest = size & 31;
    if (rest !== 0 && bits.words.length > 0) bits.words[bits.words.length - 1] = (1 << rest) - 1;
    return bits;
  }

  has(row: number): boolean {
    return (((this.words[row >>> 5] ?? 0) >>> (row & 31)) & 1) === 1;
  }

  put(row: number, isIn: boolean): void {
    const at = row >>> 5;
    if (at >= this.words.length) this.#grow(at + 1);
    const bit = 1 << (row & 31);
    const word = this.words[at] ?? 0;
    this.words[at] = isIn ? word | bit : word & ~bit;
  }

  copy(): Bits {
    const bits = new Bits(0);
    bits.words = this.words.slice();
    return bits;
  }

  /** Keeps what the other has as well. */
  keep(other: Bits): void {
    for (let at = 0; at < this.words.length; at += 1)
      this.words[at] = (this.words[at] ?? 0) & (other.words[at] ?? 0);
  }

  /** Takes away what the other has. */
  drop(other: Bits): void {
    for (let at = 0; at < this.words.length; at += 1)
      this.words[at] = (this.words[at] ?? 0) & ~(other.words[at] ?? 0);
  }

  join(other: Bits): void {
    if (other.words.length > this.words.length) this.#grow(other.words.length);
    for (let at = 0; at < other.words.length; at += 1)
      this.words[at] = (this.words[at] ?? 0) | (other.words[at] ?? 0);
  }

  get count(): number {
    let total = 0;
    for (const word of this.words) total += countBits(word);
    return total;
  }

  forEach(visit: (row: number) => void): void {
    for (let at = 0; at < this.words.length; at += 1) {
      let word = this.words[at] ?? 0;
      while (word !== 0) {
        const low = word & -word;
        visit((at << 5) + 31 - Math.clz32(low));
        word ^= low;
      }
    }
  }

  /** Writes the rows from this one on, a multiple of 32, of as many as the list can take, into the list. @returns how many of them are in the set */
  listInto(list: Int32Array, from: number): number {
    const end = Math.min(this.words.length, (from + list.length) >>> 5);
    let count = 0;
    for (let at = from >>> 5; at < end; at += 1) {
      let word = this.words[at] ?? 0;
      while (word !== 0) {
        const low = word & -word;
        list[count] = (at << 5) + 31 - Math.clz32(low);
        count += 1;
        word ^= low;
      }
    }
    return count;
  }

  #grow(words: number): void {
    const wider = new Uint32Array(Math.max(words, this.words.length * 2));
    wider.set(this.words);
    this.words = wider;
  }
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
