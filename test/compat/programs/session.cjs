/** What the programs have in common: endpoints, lines to compare, and waiting for the death of the leader. */
'use strict';

/** Where the members listen: `host:port`, separated by commas. */
const endpoints = (process.env.ENDPOINTS ?? '').split(',');

/** How many writes a program does while the leader dies. */
const count = Number(process.env.COUNT ?? 100);

/** One line of what is compared: a name and a value. */
function say(name, value) {
  console.log(`${name}: ${JSON.stringify(value, shown) ?? 'nothing'}`);
}

function shown(_, value) {
  if (value?.type === 'Buffer') return Buffer.from(value.data).toString('latin1');
  return value;
}

/** Says how a promise ended: with a value or with an error. */
async function sayEnd(name, promise) {
  try {
    say(name, await promise);
  } catch (error) {
    say(name, { error: error.constructor.name, message: error.message });
  }
}

/** Tries again, for as long as a program can be expected to, what fails because a member is gone. */
async function persist(attempt) {
  const giveUpAt = Date.now() + 60_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await pause(50);
    }
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something holds. */
async function until(what, holds) {
  const giveUpAt = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`not within 30 s: ${what}`);
    await pause(20);
  }
}

/** Runs the sections of a program, one after the other. */
async function main(sections) {
  for (const section of sections) {
    console.log(`# ${section.name}`);
    await section.run();
  }
}

module.exports = { endpoints, count, say, sayEnd, persist, until, main };
