/** The kinds of values an option can have: each reads itself from text and says what it allows. */
import { addressLimit, isAddress, isName, nameLimit } from '../base/names';

/** Reads the values of one kind. */
export interface ValueKind<T> {
  /** Stands for the value in `--help`, with its unit. */
  readonly placeholder: string;
  /** What is allowed, for `--help` and errors. */
  readonly limit: string;
  /** `undefined` when the text is not allowed. */
  parse(text: string): T | undefined;
}

/** A whole number with a unit. */
export function wholeNumber(unit: string, min: number, max: number): ValueKind<number> {
  return {
    placeholder: unit,
    limit: `${String(min)} to ${String(max)} ${unit}`,
    parse(text) {
      if (!/^[0-9]{1,15}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** A decimal number. */
export function fraction(min: number, max: number): ValueKind<number> {
  return {
    placeholder: 'fraction',
    limit: `${String(min)} to ${String(max)}`,
    parse(text) {
      if (!/^[0-9]{1,3}(\.[0-9]{1,9})?$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** True or false. */
export const yesOrNo: ValueKind<boolean> = {
  placeholder: 'true|false',
  limit: 'true, false',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

/** One of a few words. */
export function oneOf<W extends string>(words: readonly W[]): ValueKind<W> {
  return {
    placeholder: words.join('|'),
    limit: words.join(', '),
    parse: (text) => words.find((word) => word === text),
  };
}

/** Text that matches a pattern. */
export function text(placeholder: string, limit: string, pattern: RegExp): ValueKind<string> {
  return { placeholder, limit, parse: (value) => (pattern.test(value) ? value : undefined) };
}

/** The name of a member or a cluster. */
export const nameValue: ValueKind<string> = {
  placeholder: 'name',
  limit: nameLimit,
  parse: (value) => (isName(value) ? value : undefined),
};

/** Where something listens or is reached, `host:port`; IPv6 addresses in brackets. */
export const addressValue: ValueKind<string> = {
  placeholder: 'host:port',
  limit: addressLimit,
  parse: (value) => (isAddress(value) ? value : undefined),
};

/** A comma list of addresses. */
export const addressesValue: ValueKind<readonly string[]> = {
  placeholder: 'list',
  limit: `a comma list of ${addressLimit}`,
  parse(value) {
    const addresses = value.split(',').map((address) => address.trim());
    return addresses.every(isAddress) ? addresses : undefined;
  },
};

/** An address with `{name}` in the place of a member's name. */
export const addressTemplateValue: ValueKind<string> = {
  placeholder: 'host:port',
  limit: 'host:port with {name} in it, and a port of 1 to 65535',
  parse: (value) => (value.includes('{name}') && isAddress(fillTemplate(value, 'm')) ? value : undefined),
};

/** Puts a member's name into an address template. */
export function fillTemplate(template: string, name: string): string {
  return template.replaceAll('{name}', name);
}

/** One member as `--initial-members` writes it. */
export interface MemberEntry {
  readonly name: string;
  /** `undefined` when the templates tell. */
  readonly peerAddress: string | undefined;
  readonly clientAddress: string | undefined;
}

/** A comma list of `name=peerHost:port/clientHost:port` or `name`. */
export const membersValue: ValueKind<readonly MemberEntry[]> = {
  placeholder: 'list',
  limit: 'a comma list of name=peerHost:port/clientHost:port, or of names with both address templates',
  parse(value) {
    const entries = value.split(',').map((entry) => memberEntry(entry.trim()));
    return entries.every((entry) => entry !== undefined) ? entries : undefined;
  },
};

function memberEntry(entry: string): MemberEntry | undefined {
  const [name = '', addresses, ...rest] = entry.split('=');
  if (!isName(name) || rest.length > 0) return undefined;
  if (addresses === undefined) return { name, peerAddress: undefined, clientAddress: undefined };
  const [peerAddress = '', clientAddress = '', ...more] = addresses.split('/');
  return isAddress(peerAddress) && isAddress(clientAddress) && more.length === 0
    ? { name, peerAddress, clientAddress }
    : undefined;
}
