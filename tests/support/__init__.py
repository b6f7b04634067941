"""What tests share: saved models made by hand, faulty nets, small wheels, fresh environments, the command line."""
