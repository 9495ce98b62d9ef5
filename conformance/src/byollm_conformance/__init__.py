"""Does a provider plugin keep its promises?"""
