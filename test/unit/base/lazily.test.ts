import { lazily } from '../../../src/base/lazily';

describe('lazily', () => {
  it('makes nothing until it is asked, and once for all', () => {
    const make = jest.fn(() => ({ number: 7 }));
    const value = lazily(make);
    expect(make).not.toHaveBeenCalled();
    expect(value()).toBe(value());
    expect(make).toHaveBeenCalledTimes(1);
  });

  it('tries again after a failure', () => {
    let attempts = 0;
    const value = lazily(() => {
      if (++attempts === 1) throw new Error('not yet');
      return { attempts };
    });
    expect(value).toThrow('not yet');
    expect(value()).toEqual({ attempts: 2 });
  });
});
