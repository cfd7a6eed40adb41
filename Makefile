# SPDX-License-Identifier: ISC
#
# For GNU make and BSD make alike.  ./configure looks into the rooms and
# writes $(OBJDIR)/objs.mk, which holds the rules; here is only what a person
# asks for.  "make" configures by itself the first time, and looks for new
# source files every time.  PREFIX=DIR, where things are installed, is configure's
# unless it is said here.

OBJDIR=		build
CHECKDIR=	$(OBJDIR)/check

all: $(OBJDIR)/config.mk
	@./configure --scan --objdir=$(OBJDIR)
	@$(MAKE) -f $(OBJDIR)/objs.mk programs

tests: $(OBJDIR)/config.mk
	@./configure --scan --objdir=$(OBJDIR)
	@$(MAKE) -f $(OBJDIR)/objs.mk tests

$(OBJDIR)/config.mk: configure
	@if [ -f $@ ]; then args=$$(sed -n 's/^CONFIGURE_ARGS=//p' $@); \
	    eval "./configure $$args --objdir=$(OBJDIR)"; \
	    else ./configure --objdir=$(OBJDIR) $(PREFIX:%=--prefix=%) CC='$(CC)'; fi
	@touch $@

install: all
	@OBJDIR=$(OBJDIR) DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' \
	    EXAMPLESDIR='$(EXAMPLESDIR)' sh etc/install.sh

deb:
	@OBJDIR=$(OBJDIR) sh regress/deb.sh
package-check:
	@OBJDIR=$(OBJDIR) sh regress/package.sh

# Each of these does everything, from the packages to the verdict.
check:
	@MAKE='$(MAKE)' CC='$(CC)' CHECKDIR=$(CHECKDIR) sh regress/check.sh
demo:
	@MAKE='$(MAKE)' CC='$(CC)' OBJDIR=$(OBJDIR) sh regress/run.sh demo
interop:
	@MAKE='$(MAKE)' CC='$(CC)' OBJDIR=$(OBJDIR) sh regress/run.sh interop
life:
	@MAKE='$(MAKE)' CC='$(CC)' OBJDIR=$(OBJDIR) PARTS='$(PARTS)' QUICK='$(QUICK)' CASES='$(CASES)' sh regress/run.sh life
bench:
	@MAKE='$(MAKE)' CC='$(CC)' OBJDIR=$(OBJDIR) sh regress/run.sh bench
sim:
	@MAKE='$(MAKE)' CC='$(CC)' OBJDIR=$(OBJDIR) SEED='$(SEED)' SEEDS='$(SEEDS)' JOBS='$(JOBS)' sh regress/run.sh sim
mutants:
	@MAKE='$(MAKE)' CC='$(CC)' OBJDIR=$(OBJDIR) ONLY='$(ONLY)' sh regress/mutants.sh
fuzz:
	@MAKE='$(MAKE)' OBJDIR=$(OBJDIR) sh regress/run.sh fuzz
coverage:
	@MAKE='$(MAKE)' OBJDIR=$(OBJDIR) WORST='$(WORST)' KEEP='$(KEEP)' \
	    sh regress/run.sh coverage

# Only a directory that configure made.
clean:
	rm -rf build
	@if [ -f $(OBJDIR)/config.mk ]; then echo "rm -rf $(OBJDIR)"; rm -rf $(OBJDIR); fi
distclean: clean
	rm -f *.core core

.PHONY: all tests install deb package-check check demo interop life bench sim mutants fuzz coverage clean distclean
