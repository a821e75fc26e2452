import { goText } from './go-text.ts';

/** `%[flags][width][.precision]verb`. */
const VERB = /%([-+# 0]*)(\d*)(?:\.(\d*))?([a-zA-Z%])/g;

/** Go's fmt.Sprintf, as far as templates of Docker's users need it. Throws for a verb that is not known. */
export function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    VERB,
    (all, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const shown = verbText(verb, values[next++], precision === undefined ? undefined : Number(precision));
      if (shown === undefined) throw new Error(`${all} is not known`);
      return padded(flags.includes('+') && /^\d/.test(shown) ? `+${shown}` : shown, flags, Number(width));
    },
  );
  if (next >= values.length) return text;
  return `${text}%!(EXTRA ${values.slice(next).map(goText).join(', ')})`;
}

function verbText(verb: string, value: unknown, precision: number | undefined): string | undefined {
  const cut = (text: string) => (precision === undefined ? text : [...text].slice(0, precision).join(''));
  switch (verb) {
    case 'v':
    case 's':
    case 'd':
    case 't':
      return typeof value === 'number' ? String(value) : cut(goText(value));
    case 'q':
      return JSON.stringify(cut(goText(value)));
    case 'x':
    case 'X': {
      const text =
        typeof value === 'number' ? value.toString(16) : Buffer.from(goText(value)).toString('hex');
      return verb === 'x' ? text : text.toUpperCase();
    }
    case 'o':
    case 'b':
      return Number(value).toString(verb === 'o' ? 8 : 2);
    case 'f':
      return Number(value).toFixed(precision ?? 6);
    case 'c':
      return String.fromCodePoint(Number(value));
    default:
      return undefined;
  }
}

function padded(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width);
  return flags.includes('0') && /^\d/.test(text) ? text.padStart(width, '0') : text.padStart(width);
}
