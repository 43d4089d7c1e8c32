// ESLint rule: a file opens with a comment that says what it is for.

/** @type {import('eslint').Rule.RuleModule} */
export const opensWithPurpose = {
  meta: {
    type: 'suggestion',
    docs: { description: 'A file opens with a comment that says what it is for.' },
    schema: [{ type: 'object', properties: { doc: { type: 'boolean' } }, additionalProperties: false }],
    messages: {
      missing: 'The file does not open with a comment that says in one line what it is for.',
      notDoc: 'The opening comment is not a /** doc comment */.',
      empty: 'The opening comment says nothing.',
    },
  },
  create(context) {
    const mustBeDoc = context.options[0]?.doc ?? true;
    return {
      Program(node) {
        const { sourceCode } = context;
        const first = sourceCode
          .getAllComments()
          .find((comment) => comment.type !== 'Shebang' && comment.type !== 'Hashbang');
        const code = sourceCode.ast.tokens[0];
        const report = (messageId) => context.report({ node, loc: { line: 1, column: 0 }, messageId });
        if (first === undefined || (code !== undefined && first.range[0] > code.range[0])) report('missing');
        else if (mustBeDoc && !(first.type === 'Block' && first.value.startsWith('*'))) report('notDoc');
        else if (first.value.replace(/[*\s]/g, '').length < 10) report('empty');
      },
    };
  },
};
