import { createColors } from 'picocolors';

/** Colours of the text output; off a terminal, and under NO_COLOR, every one leaves its text alone. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

const unchanged = (text: string): string => text;

export const plain: Paint = { good: unchanged, warn: unchanged, bad: unchanged, strong: unchanged, faint: unchanged };

export function coloured(): Paint {
  const { green, yellow, red, bold, dim } = createColors(true);
  return { good: green, warn: yellow, bad: red, strong: bold, faint: dim };
}
